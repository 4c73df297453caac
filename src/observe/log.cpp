#include "observe/log.hpp"

#include <algorithm>
#include <mutex>
#include <string>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include "base/standard_streams.hpp"

namespace weir::observe {
namespace {

/// Writes lines above the status line, which is redrawn after each of them.
class StatusLineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void set_status(std::string_view line) {
    const std::lock_guard lock{mutex_};
    if (line.empty() && status_.empty()) return;
    const std::string erase = erase_status();
    status_ = line;
    write_standard_error(erase + status_);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string text{message.payload.data(), message.payload.size()};
    text += '\n';
    if (!status_.empty()) text = erase_status() + text + status_;
    write_standard_error(text);
  }
  void flush_() override {}

 private:
  /// Returns the control sequence that moves to the start of the first status line and erases all that follows.
  std::string erase_status() const {
    const auto line_breaks = std::count(status_.begin(), status_.end(), '\n');
    return line_breaks == 0 ? "\r\x1b[K" : fmt::format("\r\x1b[{}A\x1b[J", line_breaks);
  }

  std::string status_;
};

}  // namespace

struct Log::State {
  std::shared_ptr<StatusLineSink> sink = std::make_shared<StatusLineSink>();
  spdlog::logger logger{"weir", sink};
  bool shows_status = false;
};

Log::Log(Verbosity verbosity) : state_{std::make_unique<State>()} {
  state_->logger.set_level(verbosity == Verbosity::quiet ? spdlog::level::err : spdlog::level::info);
  state_->shows_status = verbosity == Verbosity::normal && standard_error_is_terminal();
}

Log::~Log() { set_status({}); }

void Log::error(std::string_view line) { state_->logger.error(spdlog::string_view_t{line.data(), line.size()}); }
void Log::warning(std::string_view line) { state_->logger.warn(spdlog::string_view_t{line.data(), line.size()}); }
void Log::info(std::string_view line) { state_->logger.info(spdlog::string_view_t{line.data(), line.size()}); }

void Log::set_status(std::string_view line) {
  if (state_->shows_status) state_->sink->set_status(line);
}

bool Log::shows_status() const { return state_->shows_status; }

int Log::columns() const { return standard_error_columns(); }

}  // namespace weir::observe

#include "observe/log.hpp"

#include <cerrno>
#include <mutex>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace weir::observe {
namespace {

/// Errors of standard error have nowhere to go and are dropped.
void write_error_stream(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Lines go above the status line, which is drawn again after each.
class StatusLineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void set_status(std::string_view line) {
    const std::lock_guard lock{mutex_};
    if (line.empty() && status_.empty()) return;
    status_ = line;
    write_error_stream(kErase + status_);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string text{message.payload.data(), message.payload.size()};
    text += '\n';
    if (!status_.empty()) text = kErase + text + status_;
    write_error_stream(text);
  }
  void flush_() override {}

 private:
  inline static const std::string kErase = "\r\x1b[K";
  std::string status_;
};

}  // namespace

struct Log::State {
  std::shared_ptr<StatusLineSink> sink = std::make_shared<StatusLineSink>();
  spdlog::logger logger{"weir", sink};
  bool status = false;
};

Log::Log(Verbosity verbosity) : state_{std::make_unique<State>()} {
  state_->logger.set_level(verbosity == Verbosity::quiet ? spdlog::level::err : spdlog::level::info);
  state_->status = verbosity == Verbosity::normal && isatty(STDERR_FILENO) == 1;
}

Log::~Log() { status({}); }

void Log::error(std::string_view line) { state_->logger.error(spdlog::string_view_t{line.data(), line.size()}); }
void Log::warning(std::string_view line) { state_->logger.warn(spdlog::string_view_t{line.data(), line.size()}); }
void Log::info(std::string_view line) { state_->logger.info(spdlog::string_view_t{line.data(), line.size()}); }

void Log::status(std::string_view line) {
  if (state_->status) state_->sink->set_status(line);
}

bool Log::has_status() const { return state_->status; }

int Log::columns() const {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace weir::observe

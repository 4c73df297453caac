#include "device/owner_record.hpp"

#include <chrono>
#include <random>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/small_file.hpp"
#include "base/text.hpp"

namespace weir::device {
namespace {

using Json = nlohmann::json;

// Bytes of each text in the first try of to_page(). Escapes in JSON may make a text six times longer; to_page() then
// cuts the texts further.
constexpr std::size_t kMaxTextBytes = 500;
constexpr std::size_t kMaxCommandBytes = 80;  // longest command in the text of describe()
constexpr std::size_t kMaxNonceBytes = 64;    // new_nonce() makes 32; a longer one is invalid

std::string new_nonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) nonce += fmt::format("{:08x}", random());
  return nonce;
}

std::string own_cgroup() {
  std::string text = read_small_file("/proc/self/cgroup");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

template <class T>
T number(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number_integer() ? at->get<T>() : T{};
}

std::string text(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

std::string dump(const OwnerRecord& record, std::size_t max_text_bytes) {
  const auto cut = [&](const std::string& whole) { return whole.substr(0, max_text_bytes); };
  Json json{{"pid", record.process.pid},
            {"start_ticks", record.process.start_ticks},
            {"boot_id", cut(record.process.boot_id)},
            {"pid_namespace", record.process.pid_namespace},
            {"thread", record.thread},
            {"user", record.user},
            {"cgroup", cut(record.cgroup)},
            {"command", cut(record.command)},
            {"job", cut(record.job)},
            {"since", record.acquired_at},
            {"promised", record.reserved_bytes},
            {"nonce", record.nonce}};
  if (record.released_at) json["released"] = *record.released_at;
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string format_age(std::int64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h", seconds / 3600);
}

std::string format_time(std::int64_t seconds) {
  constexpr std::int64_t kYear3000 = 32503680000;  // times are checked, since every user may write the file
  if (seconds < 0 || seconds > kYear3000) return "an impossible time";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(seconds)));
}

}  // namespace

std::int64_t unix_time_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

OwnerRecord make_owner_record(std::string job) {
  return {.process = identify_this_process(),
          .thread = ::gettid(),
          .user = ::getuid(),
          .cgroup = own_cgroup(),
          .command = program_name(::getpid()),
          .job = std::move(job),
          .acquired_at = unix_time_s(),
          .reserved_bytes = 0,
          .nonce = new_nonce(),
          .released_at = std::nullopt};
}

std::string to_page(const OwnerRecord& record) {
  std::string page = dump(record, kMaxTextBytes);
  for (std::size_t limit = kMaxTextBytes; page.size() >= kRecordBytes && limit > 0; limit /= 2)
    page = dump(record, limit);
  page.resize(kRecordBytes, ' ');
  page.back() = '\n';
  return page;
}

std::optional<OwnerRecord> parse_page(std::string_view page) {
  const Json json = Json::parse(page, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  OwnerRecord record;
  record.process = {.pid = number<pid_t>(json, "pid"),
                    .start_ticks = number<std::uint64_t>(json, "start_ticks"),
                    .boot_id = text(json, "boot_id"),
                    .pid_namespace = number<std::uint64_t>(json, "pid_namespace")};
  record.thread = number<pid_t>(json, "thread");
  record.user = number<uid_t>(json, "user");
  record.cgroup = text(json, "cgroup");
  record.command = text(json, "command");
  record.job = text(json, "job");
  record.acquired_at = number<std::int64_t>(json, "since");
  record.reserved_bytes = number<std::uint64_t>(json, "promised");
  record.nonce = text(json, "nonce");
  if (json.contains("released")) record.released_at = number<std::int64_t>(json, "released");
  if (record.process.pid <= 0 || record.nonce.empty() || record.nonce.size() > kMaxNonceBytes) return std::nullopt;
  return record;
}

std::string describe(const OwnerRecord& record, std::int64_t now) {
  const std::string job = record.job.empty() ? "" : fmt::format(", job '{}'", printable(record.job));
  const std::int64_t age = now > record.acquired_at && record.acquired_at > 0 ? now - record.acquired_at : 0;
  const std::string command =
      record.command.empty() ? "" : fmt::format(" '{}'", printable(record.command.substr(0, kMaxCommandBytes)));
  const char* elsewhere = liveness_of(record.process) == Liveness::unknown ? " of another PID namespace" : "";
  return fmt::format("pid {}{}{} of user {}{}, since {} ({})", record.process.pid, elsewhere, command, record.user, job,
                     format_time(record.acquired_at), format_age(age));
}

std::string describe_holder(const OwnerRecord& record, std::int64_t now) {
  const bool ended = liveness_of(record.process) == Liveness::dead;
  return describe(record, now) + (ended ? ", which has ended; its guardian ends what it left" : "");
}

}  // namespace weir::device

#include "device/driver_sampler.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <nlohmann/json.hpp>

#include "device/child_probe.hpp"
#include "device/device_json.hpp"
#include "device/device_meters.hpp"
#include "device/nvml.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::size_t kLargestMessage = 64U << 10U;
constexpr auto kHangs = std::chrono::seconds{2};

Json to_json(const SampleQuestion& question) {
  return {
      {"card", question.card ? to_text(*question.card) : ""}, {"evidence", question.evidence}, {"pids", question.pids}};
}

SampleQuestion question_from(const Json& json) {
  return {parse_pci_address(json.at("card").get<std::string>()), json.at("evidence"),
          json.at("pids").get<std::vector<pid_t>>()};
}

Json to_json(const Evidence& evidence) {
  Json json{{"bookings", Json::array()}, {"opened", Json::array()}, {"blind", evidence.blind}};
  for (const Evidence::Booking& one : evidence.bookings)
    json["bookings"].push_back({to_text(one.pci), one.memory.count(), one.worked, one.source});
  for (const PciAddress& one : evidence.opened) json["opened"].push_back(to_text(one));
  return json;
}

Evidence evidence_from(const Json& json) {
  Evidence evidence;
  for (const Json& one : json.at("bookings")) {
    const auto pci = parse_pci_address(one.at(0).get<std::string>());
    if (pci) evidence.bookings.push_back({*pci, Bytes{one.at(1).get<std::uint64_t>()}, one.at(2), one.at(3)});
  }
  for (const Json& one : json.at("opened"))
    if (const auto pci = parse_pci_address(one.get<std::string>())) evidence.opened.push_back(*pci);
  evidence.blind = json.at("blind");
  return evidence;
}

Json to_json(const DriverSample& sample) {
  Json json = Json::object();
  if (sample.used) json["used"] = sample.used->count();
  if (sample.free) json["free"] = sample.free->count();
  if (sample.evidence) json["evidence"] = to_json(*sample.evidence);
  return json;
}

std::optional<DriverSample> sample_from(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    DriverSample sample;
    if (json.contains("free")) sample.free = Bytes{json["free"].get<std::uint64_t>()};
    if (json.contains("used")) sample.used = Bytes{json["used"].get<std::uint64_t>()};
    if (json.contains("evidence")) sample.evidence = evidence_from(json["evidence"]);
    return sample;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

/// In the child: answers until its parent closes the channel.
int serve(int channel, std::span<const Device> devices) {
  leave_signals_to_the_parent();
  ::prctl(PR_SET_NAME, "weir-sampler");
  ::prctl(PR_SET_DUMPABLE, 0);  // a driver that crashes here leaves no core file
  const auto opened = nvml::Library::open();
  const nvml::Library* const library = opened ? &*opened : nullptr;
  std::vector<char> text(kLargestMessage);
  for (;;) {
    const ssize_t got = ::recv(channel, text.data(), text.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    const SampleQuestion question = question_from(Json::parse(text.data(), text.data() + got));
    DriverSample sample;
    if (question.card) {
      const CardMemory memory = memory_on(library, *question.card);
      sample.used = memory.used;
      sample.free = memory.free;
    }
    if (question.evidence) sample.evidence = gather_evidence(devices, question.pids, library);
    const std::string answer = message_text(to_json(sample));
    if (::send(channel, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return 0;
  }
}

}  // namespace

DriverSampler::DriverSampler(std::vector<Device> devices) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  channel_ = FileDescriptor{ends[0]};
  const FileDescriptor theirs{ends[1]};
  auto child = ChildProcess::fork_function({.words = {}, .environment = {}, .folder = {}, .inherited = {theirs.get()}},
                                           [&] { return serve(theirs.get(), devices); });
  if (child) child_.emplace(*std::move(child));
}

void DriverSampler::begin(const SampleQuestion& question) {
  if (asked_ || !child_) return;
  std::string text = message_text(to_json(question));
  if (text.size() > kLargestMessage) text = message_text(to_json(SampleQuestion{question.card, false, {}}));
  if (::send(channel_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) asked_ = Clock::now();
}

std::optional<DriverSample> DriverSampler::receive(std::chrono::milliseconds patience) {
  if (!asked_) return std::nullopt;
  const auto deadline = Clock::now() + patience;
  std::vector<char> text(kLargestMessage);
  for (;;) {  // ends at the deadline
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{channel_.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    const ssize_t got = ::recv(channel_.get(), text.data(), text.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    asked_.reset();
    if (got <= 0) {
      child_.reset();  // it crashed in a driver
      return std::nullopt;
    }
    return sample_from({text.data(), static_cast<std::size_t>(got)});
  }
}

std::optional<DriverSample> DriverSampler::poll() { return receive({}); }

std::optional<DriverSample> DriverSampler::ask(const SampleQuestion& question, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  const auto left = [&] {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()), std::chrono::milliseconds{});
  };
  if (asked_) receive(left());
  if (asked_) return std::nullopt;
  begin(question);
  return receive(left());
}

bool DriverSampler::is_usable() const { return child_ && !(asked_ && Clock::now() - *asked_ > kHangs); }

}  // namespace weir::device

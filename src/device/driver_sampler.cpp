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

constexpr std::size_t kMaxMessageBytes = 64U << 10U;  // of a request or a sample
constexpr auto kHangTime = std::chrono::seconds{2};   // a driver that takes longer counts as hanging

Json to_json(const SampleRequest& request) {
  return {{"card", request.card ? to_text(*request.card) : ""},
          {"evidence", request.needs_evidence},
          {"pids", request.pids}};
}

SampleRequest request_from_json(const Json& json) {
  return {.card = parse_pci_address(json.at("card").get<std::string>()),
          .needs_evidence = json.at("evidence"),
          .pids = json.at("pids").get<std::vector<pid_t>>()};
}

Json to_json(const PlacementEvidence& evidence) {
  Json json{{"bookings", Json::array()}, {"opened", Json::array()}, {"blind", evidence.unknown_reason}};
  for (const PlacementEvidence::Booking& one : evidence.bookings)
    json["bookings"].push_back({to_text(one.pci), one.memory.count(), one.engine_used, one.source});
  for (const PciAddress& one : evidence.opened_devices) json["opened"].push_back(to_text(one));
  return json;
}

PlacementEvidence evidence_from_json(const Json& json) {
  PlacementEvidence evidence;
  for (const Json& one : json.at("bookings")) {
    const auto pci = parse_pci_address(one.at(0).get<std::string>());
    if (pci)
      evidence.bookings.push_back({.pci = *pci,
                                   .memory = Bytes{one.at(1).get<std::uint64_t>()},
                                   .engine_used = one.at(2),
                                   .source = one.at(3)});
  }
  for (const Json& one : json.at("opened"))
    if (const auto pci = parse_pci_address(one.get<std::string>())) evidence.opened_devices.push_back(*pci);
  evidence.unknown_reason = json.at("blind");
  return evidence;
}

Json to_json(const DriverSample& sample) {
  Json json = Json::object();
  if (sample.used) json["used"] = sample.used->count();
  if (sample.free) json["free"] = sample.free->count();
  if (sample.evidence) json["evidence"] = to_json(*sample.evidence);
  return json;
}

std::optional<DriverSample> sample_from_text(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    DriverSample sample;
    if (json.contains("free")) sample.free = Bytes{json["free"].get<std::uint64_t>()};
    if (json.contains("used")) sample.used = Bytes{json["used"].get<std::uint64_t>()};
    if (json.contains("evidence")) sample.evidence = evidence_from_json(json["evidence"]);
    return sample;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

/// Runs in the child: answers requests until the parent closes the socket `channel`. Returns the exit status.
int serve(int channel, std::span<const Device> devices) {
  block_termination_signals();
  ::prctl(PR_SET_NAME, "weir-sampler");
  ::prctl(PR_SET_DUMPABLE, 0);  // a driver that crashes here leaves no core file
  const auto opened = nvml::Library::open();
  const nvml::Library* const library = opened ? &*opened : nullptr;
  std::vector<char> text(kMaxMessageBytes);
  for (;;) {
    const ssize_t got = ::recv(channel, text.data(), text.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    const SampleRequest request = request_from_json(Json::parse(text.data(), text.data() + got));
    DriverSample sample;
    if (request.card) {
      const CardMemory memory = read_card_memory(library, *request.card);
      sample.used = memory.used;
      sample.free = memory.free;
    }
    if (request.needs_evidence) sample.evidence = collect_evidence(devices, request.pids, library);
    const std::string answer = to_message_line(to_json(sample));
    if (::send(channel, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return 0;
  }
}

}  // namespace

DriverSampler::DriverSampler(std::vector<Device> devices) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  channel_ = FileDescriptor{ends[0]};
  const FileDescriptor child_end{ends[1]};
  auto child = ChildProcess::fork_function(
      {.arguments = {}, .environment = {}, .folder = {}, .inherited_descriptors = {child_end.get()}},
      [&] { return serve(child_end.get(), devices); });
  if (child) child_.emplace(*std::move(child));
}

void DriverSampler::start_sample(const SampleRequest& request) {
  if (requested_at_ || !child_) return;
  std::string text = to_message_line(to_json(request));
  // With too many process ids for one message, only the memory of the card is sampled.
  if (text.size() > kMaxMessageBytes) text = to_message_line(to_json(SampleRequest{.card = request.card}));
  if (::send(channel_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) requested_at_ = Clock::now();
}

std::optional<DriverSample> DriverSampler::receive(std::chrono::milliseconds timeout) {
  if (!requested_at_) return std::nullopt;
  const auto deadline = Clock::now() + timeout;
  std::vector<char> text(kMaxMessageBytes);
  for (;;) {  // ends at the deadline
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{channel_.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    const ssize_t got = ::recv(channel_.get(), text.data(), text.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    requested_at_.reset();
    if (got <= 0) {
      child_.reset();  // the child has ended: it was killed or crashed in a driver
      return std::nullopt;
    }
    return sample_from_text({text.data(), static_cast<std::size_t>(got)});
  }
}

std::optional<DriverSample> DriverSampler::poll() { return receive({}); }

std::optional<DriverSample> DriverSampler::sample(const SampleRequest& request, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const auto left = [&] {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()), std::chrono::milliseconds{});
  };
  if (requested_at_) receive(left());
  if (requested_at_) return std::nullopt;
  start_sample(request);
  return receive(left());
}

bool DriverSampler::is_usable() const {
  return child_ && !(requested_at_ && Clock::now() - *requested_at_ > kHangTime);
}

}  // namespace weir::device

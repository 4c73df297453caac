// Conversion of CommandRequest (tasks/command_kind.hpp) to JSON and back.

#include <algorithm>

#include "jobs/json.hpp"
#include "tasks/command_kind.hpp"

namespace weir::tasks {
namespace {

using jobs::Json;

std::chrono::milliseconds milliseconds_field(const Json& object, const char* key) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(jobs::number_field(object, key))};
}

Json variants_json(const std::vector<Variant>& variants) {
  Json json = Json::array();
  for (const Variant& variant : variants)
    json.push_back({{"name", jobs::encode_path(variant.name)}, {"need", variant.need.count()}});
  return json;
}

std::vector<Variant> variants_field(const Json& object) {
  std::vector<Variant> variants;
  const auto found = object.find("variants");
  if (found != object.end() && found->is_array()) {
    for (const Json& variant : *found)
      variants.push_back({.name = jobs::decode_path(jobs::text_field(variant, "name")).native(),
                          .need = jobs::bytes_field(variant, "need")});
  }
  if (variants.empty()) variants.emplace_back();  // GuardedCommand::variants has at least one entry
  return variants;
}

Json device_request_json(const DeviceRequest& request) {
  Json json{{"allow", jobs::encode_texts(request.policy.allow)},
            {"deny", jobs::encode_texts(request.policy.deny)},
            {"request", jobs::encode_texts(request.policy.request)},
            {"prefer", jobs::encode_texts(request.policy.prefer)},
            {"trust_unknown", request.need.trust_unknown},
            {"cuda_index", request.mask.cuda_names == device::CudaNames::index},
            {"torch_allocator", jobs::encode_path(request.mask.torch_allocator)},
            {"slots", request.slots},
            {"wait_ms", request.max_wait.count()},
            {"job", jobs::encode_path(request.job)},
            {"end_orphans", request.end_orphans}};
  if (request.policy.min_memory) json["min_memory"] = request.policy.min_memory->count();
  return json;
}

DeviceRequest parse_device_request(const Json& json) {
  DeviceRequest request;
  request.policy = {.allow = jobs::encoded_texts_field(json, "allow"),
                    .deny = jobs::encoded_texts_field(json, "deny"),
                    .request = jobs::encoded_texts_field(json, "request"),
                    .prefer = jobs::encoded_texts_field(json, "prefer"),
                    .min_memory = {}};
  if (json.contains("min_memory")) request.policy.min_memory = jobs::bytes_field(json, "min_memory");
  request.need.trust_unknown = jobs::bool_field(json, "trust_unknown");
  request.mask.cuda_names = jobs::bool_field(json, "cuda_index") ? device::CudaNames::index : device::CudaNames::uuid;
  request.mask.torch_allocator = jobs::decode_path(jobs::text_field(json, "torch_allocator")).native();
  request.slots = static_cast<int>(jobs::number_field(json, "slots"));
  request.max_wait = milliseconds_field(json, "wait_ms");
  request.job = jobs::decode_path(jobs::text_field(json, "job")).native();
  request.end_orphans = jobs::bool_field(json, "end_orphans");
  return request;
}

}  // namespace

Json to_json(const CommandRequest& request) {
  const GuardedCommand& guard = request.guard;
  Json environment = Json::object();
  for (const auto& [name, value] : guard.environment) environment[name] = value;
  Json json{{"arguments", jobs::encode_texts(request.arguments)},
            {"device_request", device_request_json(guard.device_request)},
            {"variants", variants_json(guard.variants)},
            {"environment", environment},
            {"leased", guard.lease_before_start},
            {"recall", guard.use_last_need},
            {"strict_device", guard.strict_device},
            {"max_leak", guard.max_leak.count()},
            {"grace_ms", guard.grace.count()},
            {"gpu_jobs", request.gpu_jobs},
            {"retries", request.retries},
            {"folder", jobs::encode_path(request.folder)},
            {"quarantine", request.quarantine_fd}};
  if (guard.time_limit) json["limit_ms"] = guard.time_limit->count();
  return json;
}

CommandRequest parse_command_request(const Json& json) {
  CommandRequest request;
  request.arguments = jobs::encoded_texts_field(json, "arguments");
  request.guard.device_request = parse_device_request(jobs::object_field(json, "device_request"));
  request.guard.variants = variants_field(json);
  const Json environment = jobs::object_field(json, "environment");
  for (const auto& [name, value] : environment.items())
    if (value.is_string()) request.guard.environment.emplace_back(name, value.get<std::string>());
  request.guard.use_last_need = jobs::bool_field(json, "recall");
  request.guard.lease_before_start = jobs::bool_field(json, "leased");
  request.guard.strict_device = jobs::bool_field(json, "strict_device");
  request.guard.max_leak = jobs::bytes_field(json, "max_leak");
  request.guard.grace = milliseconds_field(json, "grace_ms");
  if (json.contains("limit_ms")) request.guard.time_limit = milliseconds_field(json, "limit_ms");
  request.gpu_jobs = static_cast<int>(jobs::number_field(json, "gpu_jobs"));
  request.retries = static_cast<int>(jobs::number_field(json, "retries"));
  request.folder = jobs::decode_path(jobs::text_field(json, "folder"));
  request.quarantine_fd = jobs::descriptor_field(json, "quarantine");
  return request;
}

}  // namespace weir::tasks

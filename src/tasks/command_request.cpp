#include <algorithm>

#include "jobs/json.hpp"
#include "tasks/command_kind.hpp"

namespace weir::tasks {
namespace {

using jobs::Json;

std::chrono::milliseconds duration_of(const Json& object, const char* key) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(jobs::number_field(object, key))};
}

Json variants_json(const std::vector<Variant>& variants) {
  Json json = Json::array();
  for (const Variant& variant : variants) json.push_back({{"name", jobs::encode_path(variant.name)}, {"need", variant.need.count()}});
  return json;
}

std::vector<Variant> variants_of(const Json& object) {
  std::vector<Variant> variants;
  const auto found = object.find("variants");
  if (found != object.end() && found->is_array()) {
    for (const Json& variant : *found)
      variants.push_back({jobs::decode_path(jobs::text_field(variant, "name")).native(), jobs::bytes_field(variant, "need")});
  }
  if (variants.empty()) variants.emplace_back();
  return variants;
}

Json wish_json(const DeviceWish& wish) {
  Json json{{"allow", jobs::texts_json(wish.policy.allow)},
            {"deny", jobs::texts_json(wish.policy.deny)},
            {"request", jobs::texts_json(wish.policy.request)},
            {"prefer", jobs::texts_json(wish.policy.prefer)},
            {"trust_unknown", wish.need.trust_unknown},
            {"cuda_index", wish.mask.cuda_names == device::CudaNames::index},
            {"torch_allocator", jobs::encode_path(wish.mask.torch_allocator)},
            {"slots", wish.slots},
            {"wait_ms", wish.wait.count()},
            {"job", jobs::encode_path(wish.job)},
            {"end_orphans", wish.end_orphans}};
  if (wish.policy.min_memory) json["min_memory"] = wish.policy.min_memory->count();
  return json;
}

DeviceWish wish_of(const Json& json) {
  DeviceWish wish;
  wish.policy = {jobs::texts_field(json, "allow"),
                 jobs::texts_field(json, "deny"),
                 jobs::texts_field(json, "request"),
                 jobs::texts_field(json, "prefer"),
                 {}};
  if (json.contains("min_memory")) wish.policy.min_memory = jobs::bytes_field(json, "min_memory");
  wish.need.trust_unknown = jobs::bool_field(json, "trust_unknown");
  wish.mask.cuda_names = jobs::bool_field(json, "cuda_index") ? device::CudaNames::index : device::CudaNames::uuid;
  wish.mask.torch_allocator = jobs::decode_path(jobs::text_field(json, "torch_allocator")).native();
  wish.slots = static_cast<int>(jobs::number_field(json, "slots"));
  wish.wait = duration_of(json, "wait_ms");
  wish.job = jobs::decode_path(jobs::text_field(json, "job")).native();
  wish.end_orphans = jobs::bool_field(json, "end_orphans");
  return wish;
}

}  // namespace

Json to_json(const CommandRequest& request) {
  const GuardedCommand& guard = request.guard;
  Json environment = Json::object();
  for (const auto& [name, value] : guard.environment) environment[name] = value;
  Json json{{"words", jobs::texts_json(request.words)},
            {"wish", wish_json(guard.wish)},
            {"variants", variants_json(guard.variants)},
            {"environment", environment},
            {"leased", guard.leased},
            {"recall", guard.recall},
            {"strict_device", guard.strict_device},
            {"max_leak", guard.max_leak.count()},
            {"grace_ms", guard.grace.count()},
            {"gpu_jobs", request.gpu_jobs},
            {"retries", request.retries},
            {"folder", jobs::encode_path(request.folder)},
            {"quarantine", request.quarantine}};
  if (guard.limit) json["limit_ms"] = guard.limit->count();
  return json;
}

CommandRequest command_request_of(const Json& json) {
  CommandRequest request;
  request.words = jobs::texts_field(json, "words");
  request.guard.wish = wish_of(jobs::object_field(json, "wish"));
  request.guard.variants = variants_of(json);
  const Json environment = jobs::object_field(json, "environment");
  for (const auto& [name, value] : environment.items())
    if (value.is_string()) request.guard.environment.emplace_back(name, value.get<std::string>());
  request.guard.recall = jobs::bool_field(json, "recall");
  request.guard.leased = jobs::bool_field(json, "leased");
  request.guard.strict_device = jobs::bool_field(json, "strict_device");
  request.guard.max_leak = jobs::bytes_field(json, "max_leak");
  request.guard.grace = duration_of(json, "grace_ms");
  if (json.contains("limit_ms")) request.guard.limit = duration_of(json, "limit_ms");
  request.gpu_jobs = static_cast<int>(jobs::number_field(json, "gpu_jobs"));
  request.retries = static_cast<int>(jobs::number_field(json, "retries"));
  request.folder = jobs::decode_path(jobs::text_field(json, "folder"));
  request.quarantine = static_cast<int>(jobs::number_field(json, "quarantine"));
  return request;
}

}  // namespace weir::tasks

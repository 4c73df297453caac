#include "jobs/admission.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/text.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {
namespace {

constexpr std::size_t kMost = 1024;
constexpr Bytes kDiskMargin = 16_MiB;  // for records, logs and other programs
constexpr std::size_t kLongestFile = std::size_t{1} << 20;

std::string key_of(const std::string& variant, const std::string& size, const std::string& device) {
  return fmt::format("{} | {} | {}", printable(variant), printable(size), printable(device));
}

}  // namespace

Admission admit(Bytes need, const Room& room, bool others_run) {
  if (need + room.promised + room.margin <= room.free) return Admission::go;
  return others_run && need + room.margin <= room.free + room.promised ? Admission::wait : Admission::next_variant;
}

Admission admit_output(Bytes output, Bytes running_output, const std::optional<DiskSpace>& space) {
  if (!space || space->read_only || space->free >= output + kDiskMargin + running_output) return Admission::go;
  return output > space->total ? Admission::next_variant : Admission::wait;
}

LearnedNeeds::LearnedNeeds(std::filesystem::path file) : file_{std::move(file)} {
  if (file_.empty()) return;
  const auto text = read_bounded(file_, kLongestFile);
  if (!text || !*text) return;
  const auto json = parse_object(**text);
  if (!json) return;
  const Json needs = object_field(*json, "needs");
  for (const auto& [key, value] : needs.items()) {
    if (needs_.size() < kMost && value.is_object())
      needs_[key] = {bytes_field(value, "bytes"), count_field(value, "turn")};
    turns_ = std::max(turns_, count_field(value, "turn"));
  }
}

Bytes LearnedNeeds::need(const std::string& variant, const std::string& size, const std::string& device,
                         Bytes planned) const {
  const auto found = needs_.find(key_of(variant, size, device));
  return found == needs_.end() ? planned : std::max(planned, found->second.need);
}

Status LearnedNeeds::learn(const std::string& variant, const std::string& size, const std::string& device, Bytes planned) {
  const Bytes need = LearnedNeeds::need(variant, size, device, planned);
  return put(key_of(variant, size, device), need + Bytes{need.count() / 4});
}

Status LearnedNeeds::measured(const std::string& variant, const std::string& size, const std::string& device, Bytes took) {
  return put(key_of(variant, size, device), took);
}

Status LearnedNeeds::put(const std::string& key, Bytes need) {
  needs_[key] = {need, ++turns_};
  if (needs_.size() > kMost)
    needs_.erase(std::min_element(needs_.begin(), needs_.end(),
                                  [](const auto& a, const auto& b) { return a.second.turn < b.second.turn; }));
  return file_.empty() ? ok() : save();
}

Status LearnedNeeds::save() const {
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  Json needs = Json::object();
  for (const auto& [key, value] : needs_) needs[key] = {{"bytes", value.need.count()}, {"turn", value.turn}};
  return write_file(file_, dump({{"format", 1}, {"needs", needs}}) + '\n');
}

}  // namespace weir::jobs

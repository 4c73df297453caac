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

constexpr std::size_t kMaxEntries = 1024;  // learned needs that are kept
constexpr Bytes kDiskMargin = 16_MiB;      // free space that is left for records, logs and other programs
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;  // a longer file of learned needs is not read

std::string key_of(const std::string& variant, const std::string& size, const std::string& device) {
  return fmt::format("{} | {} | {}", printable(variant), printable(size), printable(device));
}

}  // namespace

Admission admit_memory(Bytes need, const MemoryAvailability& memory) {
  if (need + memory.reserved + memory.margin <= memory.free) return Admission::start;
  return need + memory.margin <= memory.free + memory.running ? Admission::wait : Admission::does_not_fit;
}

Admission admit_output(Bytes output, Bytes running_output, const std::optional<DiskSpace>& space) {
  if (!space || space->read_only || space->free >= output + kDiskMargin + running_output) return Admission::start;
  return output > space->total ? Admission::does_not_fit : Admission::wait;
}

LearnedNeeds::LearnedNeeds(std::filesystem::path file) : file_{std::move(file)} {
  if (file_.empty()) return;
  const auto text = read_bounded_file(file_, kMaxFileBytes);
  if (!text || !*text) return;
  const auto json = parse_object(**text);
  if (!json) return;
  const Json needs = object_field(*json, "needs");
  for (const auto& [key, value] : needs.items()) {
    if (needs_.size() < kMaxEntries && value.is_object())
      needs_[key] = {bytes_field(value, "bytes"), count_field(value, "turn")};
    last_sequence_number_ = std::max(last_sequence_number_, count_field(value, "turn"));
  }
}

Bytes LearnedNeeds::need(const std::string& variant, const std::string& size, const std::string& device,
                         Bytes planned) const {
  const auto found = needs_.find(key_of(variant, size, device));
  return found == needs_.end() ? planned : std::max(planned, found->second.need);
}

Status LearnedNeeds::raise_need(const std::string& variant, const std::string& size, const std::string& device,
                                Bytes planned) {
  const Bytes need = LearnedNeeds::need(variant, size, device, planned);
  return store(key_of(variant, size, device), need + Bytes{need.count() / 4});
}

Status LearnedNeeds::store_measured(const std::string& variant, const std::string& size, const std::string& device,
                                    Bytes measured) {
  return store(key_of(variant, size, device), measured);
}

Status LearnedNeeds::store(const std::string& key, Bytes need) {
  needs_[key] = {need, ++last_sequence_number_};
  if (needs_.size() > kMaxEntries)
    needs_.erase(std::min_element(needs_.begin(), needs_.end(), [](const auto& a, const auto& b) {  // the oldest
      return a.second.sequence_number < b.second.sequence_number;
    }));
  return file_.empty() ? ok() : save();
}

Status LearnedNeeds::save() const {
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  Json needs = Json::object();
  for (const auto& [key, value] : needs_) needs[key] = {{"bytes", value.need.count()}, {"turn", value.sequence_number}};
  return write_file(file_, dump({{"format", 1}, {"needs", needs}}) + '\n');
}

}  // namespace weir::jobs

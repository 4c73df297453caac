#include "tasks/quarantine.hpp"

#include <string_view>

#include "base/memory_file.hpp"
#include "base/text.hpp"

namespace weir::tasks {
namespace {

constexpr std::size_t kMaxReasonBytes = 1000;  // a longer reason is cut

/// Returns a device pattern, as for --device, that only this device matches.
std::string pattern_of(const device::Device& device) {
  return device.pci ? "pci:" + to_text(*device.pci) : device.uuid;
}

}  // namespace

Result<FileDescriptor> Quarantine::make_file() { return make_memory_file("weir-quarantine"); }

std::vector<Quarantine::Entry> Quarantine::entries() const {
  std::vector<Entry> entries;
  const auto text = fd_ < 0 ? Result<std::vector<std::byte>>{std::vector<std::byte>{}} : read_from_start(fd_);
  if (!text) return entries;
  std::string_view rest{reinterpret_cast<const char*>(text->data()), text->size()};
  // Each line is a pattern, a tab and a reason.
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    const std::size_t tab = line.find('\t');
    entries.push_back({std::string{line.substr(0, tab)}, std::string{line.substr(tab + 1)}});
    rest.remove_prefix(end + 1);
  }
  return entries;
}

void Quarantine::add(const device::Device& device, const std::string& why) const {
  const std::string line = pattern_of(device) + '\t' + one_line(why).substr(0, kMaxReasonBytes) + '\n';
  if (fd_ >= 0) (void)write_all(fd_, line, "the quarantine");
}

}  // namespace weir::tasks

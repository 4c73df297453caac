#include "tasks/quarantine.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

constexpr std::size_t kLongest = 65536;  // a line a device: machines have fewer

std::string pattern_of(const device::Device& device) {
  return device.pci ? "pci:" + to_text(*device.pci) : device.uuid;
}

}  // namespace

Result<FileDescriptor> Quarantine::make_file() {
  FileDescriptor file{::memfd_create("weir-quarantine", MFD_CLOEXEC)};
  if (!file || ::fcntl(file.get(), F_SETFL, O_APPEND) != 0)
    return Error{Errc::io, "make a file in memory: " + errno_text(errno)};
  return file;
}

std::vector<Quarantine::Entry> Quarantine::entries() const {
  std::vector<Entry> entries;
  std::array<char, kLongest> text{};
  const ssize_t got = file_ < 0 ? 0 : ::pread(file_, text.data(), text.size(), 0);
  std::string_view rest{text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    const std::size_t tab = line.find('\t');
    entries.push_back({std::string{line.substr(0, tab)}, std::string{line.substr(tab + 1)}});
    rest.remove_prefix(end + 1);
  }
  return entries;
}

void Quarantine::add(const device::Device& device, const std::string& why) const {
  const std::string line = pattern_of(device) + '\t' + one_line(why).substr(0, 1000) + '\n';
  if (file_ >= 0) (void)!::write(file_, line.data(), line.size());
}

}  // namespace weir::tasks

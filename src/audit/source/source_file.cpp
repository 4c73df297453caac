#include "audit/source/source_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

Error file_error(Errc code, const std::string& name, const std::string& what) {
  return {code, printable(name) + ": " + what};
}

/// Returns the offset of the start of each line.
std::vector<std::uint32_t> line_starts(std::string_view text) {
  std::vector<std::uint32_t> starts{0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends = text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'));
    if (ends && i + 1 < text.size()) starts.push_back(static_cast<std::uint32_t>(i + 1));
  }
  return starts;
}

/// Returns why the text cannot be read; empty if it can.
std::string text_problem(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return "is UTF-16; save it as UTF-8";
  return text.find('\0') == std::string_view::npos ? std::string{} : "is binary";
}

}  // namespace

Result<SourceFile> SourceFile::read(const std::filesystem::path& path, std::string name) {
  // O_NONBLOCK: otherwise open() could wait for ever on a pipe or a device file.
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file) return file_error(Errc::io, name, "cannot be read: " + errno_text(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return file_error(Errc::io, name, "cannot be read: " + errno_text(errno));
  if (!S_ISREG(info.st_mode)) return file_error(Errc::unsupported, name, "is not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > kMaxBytes)
    return file_error(Errc::unsupported, name,
                      fmt::format("is {}, more than the limit of {}", to_text(Bytes{size}), to_text(Bytes{kMaxBytes})));
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(Errc::io, name, "cannot be read: " + errno_text(errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  text.resize(done);
  if (auto why = text_problem(text); !why.empty()) return file_error(Errc::unsupported, name, why);
  return SourceFile{path, std::move(name), std::move(text)};
}

SourceFile::SourceFile(std::filesystem::path path, std::string name, std::string text)
    : path_{std::move(path)}, name_{std::move(name)}, text_{std::move(text)}, line_starts_{line_starts(text_)} {}

SourceFile::SourceFile(std::filesystem::path path, std::string name, std::string code, NotebookSource source)
    : SourceFile{std::move(path), std::move(name), std::move(code)} {
  notebook_ = std::move(source);
  file_line_starts_ = line_starts(notebook_->text);
}

std::string_view SourceFile::text(Range range) const {
  if (range.begin > range.end || range.end > text_.size()) return {};
  return text().substr(range.begin, range.end - range.begin);
}

TextPosition SourceFile::position(std::uint32_t byte) const {
  if (!notebook_) return file_position(byte);
  const auto& offsets = notebook_->file_offsets;
  if (byte < offsets.size()) return file_position(offsets[byte]);
  return file_position(offsets.empty() ? 0 : offsets.back() + 1);
}

TextPosition SourceFile::file_position(std::uint32_t byte) const {
  const auto& starts = file_line_starts();
  const std::string_view whole = file_text();
  const auto next = std::upper_bound(starts.begin(), starts.end(), byte);
  const std::uint32_t start = *(next - 1);
  TextPosition result{static_cast<std::uint32_t>(next - starts.begin()), 1};
  for (std::size_t i = start; i < byte && i < whole.size(); ++i) {
    const bool continuation = (static_cast<unsigned char>(whole[i]) & 0xC0U) == 0x80U;
    result.column += continuation ? 0 : 1;
  }
  if (start == 0 && byte >= 3 && whole.starts_with("\xEF\xBB\xBF")) --result.column;
  return result;
}

std::uint32_t SourceFile::line_start(std::uint32_t byte) const {
  return *(std::upper_bound(line_starts_.begin(), line_starts_.end(), byte) - 1);
}

std::uint32_t SourceFile::line_end(std::uint32_t byte) const {
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), byte);
  return next == line_starts_.end() ? static_cast<std::uint32_t>(text_.size()) : *next;
}

std::string_view SourceFile::line(std::uint32_t number) const {
  const auto& starts = file_line_starts();
  if (number == 0 || number > starts.size()) return {};
  const std::size_t end = number < starts.size() ? starts[number] : file_text().size();
  std::string_view line = file_text().substr(starts[number - 1], end - starts[number - 1]);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

std::string_view SourceFile::line_break() const {
  const std::size_t at = text_.find_first_of("\r\n");
  if (at == std::string::npos || text_[at] == '\n') return "\n";
  return text_.compare(at, 2, "\r\n") == 0 ? "\r\n" : "\r";
}

}  // namespace weir::audit

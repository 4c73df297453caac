#include "media/film/partial_index.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/open_file.hpp"
#include "base/text.hpp"

namespace weir::film {
namespace {

/// The line that ends each step: "= SKIPPED_PACKETS HAS_DECODING_TIMES".
std::string end_of_step(const FilmIndex& index) {
  return fmt::format("= {} {}\n", index.skipped_packets, index.has_decoding_times ? 1 : 0);
}

/// Reads end_of_step() without its newline. Returns false if the line is another one.
bool read_end_of_step(std::string_view line, FilmIndex& index) {
  constexpr std::size_t kShortest = 5;  // "= 0 0"
  if (line.size() < kShortest || !line.starts_with("= ") || (!line.ends_with(" 0") && !line.ends_with(" 1")))
    return false;
  std::int64_t skipped = 0;
  const char* number_end = line.data() + line.size() - 2;
  const auto [end, problem] = std::from_chars(line.data() + 2, number_end, skipped);
  if (problem != std::errc{} || end != number_end) return false;
  index.skipped_packets = skipped;
  index.has_decoding_times = line.back() == '1';
  return true;
}

}  // namespace

std::optional<FilmIndex> parse_partial_index(std::string_view text) {
  const std::size_t header_end = text.find('\n');
  if (header_end == std::string_view::npos) return std::nullopt;
  auto index = parse_film_index(text.substr(0, header_end + 1));
  if (!index) return std::nullopt;
  std::size_t whole_frames = 0;  // frames before the last end of a step
  for (std::size_t begin = header_end + 1; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (read_end_of_step(line, *index)) {
      whole_frames = index->frames.size();
      continue;
    }
    const auto frame = parse_frame_line(line);
    if (!frame) break;
    index->frames.push_back(*frame);
  }
  index->frames.resize(whole_frames);
  return *std::move(index);
}

std::optional<FilmIndex> PartialIndex::read(const FilmIndex& expected) {
  if (path_.empty()) return std::nullopt;
  const auto text = read_file(path_);
  if (!text) return std::nullopt;
  auto index = parse_partial_index(*text);
  if (!index || index->file != expected.file || index->decoder_threads != expected.decoder_threads) return std::nullopt;
  if (!begin(*index)) return std::nullopt;  // without the step that was cut off
  return index;
}

Status PartialIndex::begin(const FilmIndex& index) {
  if (path_.empty()) return ok();
  FilmIndex header = index;
  header.frames.clear();
  stored_ = 0;
  if (auto written = write_file(path_, to_text(header)); !written) return written.error();
  file_ = open_to_append(path_);
  if (!file_) return Error{Errc::io, fmt::format("{}: cannot be opened", printable(path_.string()))};
  return append(index);
}

Status PartialIndex::append(const FilmIndex& index) {
  if (path_.empty()) return ok();
  std::string text;
  for (; stored_ < index.frames.size(); ++stored_) text += to_line(index.frames[stored_]);
  text += end_of_step(index);
  if (auto written = write_all(file_.get(), text, path_); !written) return written.error();
  auto synced = sync_file(file_.get());
  if (!synced) return Error{synced.error().code, fmt::format("{}: {}", printable(path_.string()), synced.error().what)};
  return ok();
}

Status PartialIndex::remove() {
  if (path_.empty()) return ok();
  file_ = {};
  return remove_file(path_);
}

}  // namespace weir::film

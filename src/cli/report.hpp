#pragma once

#include <optional>
#include <string>

#include "tasks/picture_task.hpp"

namespace weir::cli {

/// The plan for people: several lines, each with its newline.
std::string plan_text(const tasks::PictureItem& item, const tasks::PictureResult& result);

/// "page.png: truncated at row 512": the reason why an item failed, with the input's name as shown, in one line.
std::string failure_text(const std::string& name, const Error& error);

/// "page.png: damaged: the last 20 of 72 rows are filled: the file ends early"
std::string damage_line(const std::string& name, const std::string& damage);

/// "2 of 5 items are from damaged files": why a run in which nothing failed does not end with status 0.
std::string damaged_text(std::size_t damaged, std::size_t items);

/// A picture that was done, for done_text. Names as they are shown.
struct DonePicture {
  std::string name, output;
  int width = 0, height = 0;
  std::string network;  ///< network_text(); may be empty
  double seconds = 0;
};

/// "page.png -> large.png: 2400x3600 with weir-2x (2x), 3.5 s, 2.47 MP/s"
std::string done_text(const DonePicture& picture);

/// "weir-2x (2x)", "noise1_scale2.0x_model (2x, noise 1)"
std::string network_text(const nn::Network& network);

/// A result on standard output. That it is gone is told once, at the end; the work is still done.
class ResultOutput {
 public:
  void print(const std::string& text);
  const std::optional<Error>& problem() const { return problem_; }

 private:
  std::optional<Error> problem_;
};

/// A path as it stands in messages and JSON: "-" for the standard streams.
std::string display_path(const std::filesystem::path& path);

}  // namespace weir::cli

#pragma once

#include <optional>
#include <string>

#include "tasks/picture_task.hpp"

namespace weir::cli {

/// Returns the plan as text for users, in several lines that each end in a newline.
std::string plan_text(const tasks::PictureItem& item, const tasks::PictureResult& result);

/// Returns the error of an item in one line, with the item's name: "page.png: truncated at row 512".
std::string failure_text(const std::string& name, const Error& error);

/// Returns a line such as "page.png: damaged: the last 20 of 72 rows are filled: the file ends early".
std::string damage_line(const std::string& name, const std::string& damage);

/// Returns a text such as "2 of 5 items are from damaged files", the message of a run that exits with status 1 only
/// because of damaged inputs.
std::string damaged_text(std::size_t damaged, std::size_t items);

/// A finished picture, for done_text().
struct DonePicture {
  std::string name, output;   ///< display_path() of input and output
  int width = 0, height = 0;  ///< size of the output in pixels
  std::string network;        ///< result of network_text(); may be empty
  double seconds = 0;         ///< duration of the work
};

/// Returns a text such as "page.png -> large.png: 2400x3600 with weir-2x (2x), 3.5 s, 2.47 MP/s".
std::string done_text(const DonePicture& picture);

/// Returns a network's name with its scale and noise level: "weir-2x (2x)", "noise1_scale2.0x_model (2x, noise 1)".
std::string network_text(const nn::Network& network);

/// Prints results on standard output. After a write error it prints nothing more, and problem() returns the error.
class ResultOutput {
 public:
  void print(const std::string& text);
  const std::optional<Error>& problem() const { return problem_; }

 private:
  std::optional<Error> problem_;
};

/// Returns a path for messages, with control characters and invalid UTF-8 escaped.
std::string display_path(const std::filesystem::path& path);

}  // namespace weir::cli

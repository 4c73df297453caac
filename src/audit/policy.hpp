#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audit/mask.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// The project's choice of a GPU: the table [audit] of weir.toml. Without the table `is_defined` is false, and rules
/// that need a policy are applied only if they are selected by id. A mask is the value of a variable such as
/// CUDA_VISIBLE_DEVICES.
struct Policy {
  bool is_defined = false;
  std::string file_path{};  ///< path of weir.toml; empty if it has no table [audit]
  std::string device{};  ///< the card: its UUID ("GPU-…"), "pci:0000:01:00.0", its index, or a part of its product name
  std::string index{};  ///< index of the card in the order of PCI addresses, for libraries that do not accept UUIDs
  std::string role = "main";  ///< role name in generated headers (lines at the start of a program that select the card)
  bool mask_by_uuid = true;   ///< masks of headers contain the UUID (mask = "uuid"), not the index (mask = "index")
  std::vector<std::string> index_libraries{};  ///< Python libraries that do not accept UUIDs in masks
  std::vector<std::string> entry_points{};     ///< patterns of files that are programs, in addition to the detected
                                               ///< ones
  std::vector<std::string> exclude{};          ///< patterns of excluded files and folders

  /// Returns the mask that selects the card: the UUID if `by_index` is false and `device` is a UUID, otherwise the
  /// index, which is `index`, or `device` if that is a number. Empty if the policy does not contain the needed index.
  std::string mask(bool by_index) const;
  /// Returns whether one of `entry_points` matches this path of a file.
  bool is_entry_point(std::string_view name) const;
  /// Returns the vendor of the policy's card, derived from the product name in `device`; NVIDIA if `device` contains no
  /// product name, or a name that identifies no vendor.
  Vendor vendor() const;
};

/// Reads the policy from a weir.toml. Errors: invalid_argument (the file is no TOML, or a key of [audit] is unknown or
/// has a wrong value; the message contains file and line), io.
Result<Policy> read_policy(const std::filesystem::path& path);

/// Returns whether a shell pattern ("tests/**", "*_pb2.py", "vendor") matches the path, the name of a file or folder in
/// it, or the path of a folder that contains the file. A pattern that matches a folder therefore matches everything
/// below the folder.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace weir::audit

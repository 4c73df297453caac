#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audit/mask.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// What [audit] in weir.toml says. Without such a table `given` is false, and rules that need a policy are silent.
struct Policy {
  bool is_defined = false;
  std::string file_path{};    ///< the file; empty if there is none
  std::string device{};       ///< "GPU-…", "pci:0000:01:00.0", an index, or a part of the product's name
  std::string index{};        ///< the card's index in PCI order, for libraries that choke on UUIDs
  std::string role = "main";  ///< named in headers
  bool mask_by_uuid = true;   ///< masks by UUID (mask = "uuid"); else by index
  std::vector<std::string> index_libraries{};  ///< libraries that choke on UUID masks
  std::vector<std::string> entry_points{};     ///< patterns of files that are programs, beside those found
  std::vector<std::string> exclude{};          ///< patterns of files and folders that are left out

  /// The mask of a header, by UUID or index as the policy says; empty if neither is known.
  std::string mask(bool by_index) const;
  /// A file of this name is a program, since one of `entry_points` says so.
  bool is_entry_point(std::string_view name) const;
  /// Of the card, by its name; NVIDIA's where the name does not say.
  Vendor vendor() const;
};

/// Errors: invalid_argument with file and line; io.
Result<Policy> read_policy(const std::filesystem::path& path);

/// `pattern` is a shell pattern ("tests/**", "*_pb2.py", "vendor"); a folder's name means all below it.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace weir::audit

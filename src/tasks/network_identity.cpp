#include "tasks/network_identity.hpp"

#include <sha2.h>

#include <array>
#include <fstream>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 16;  // bytes that are read at once

/// Adds the contents of the file to the hash.
Status add_file(const std::filesystem::path& path, SHA2_CTX& context) {
  std::ifstream file{path, std::ios::binary};
  std::array<char, kChunkBytes> chunk{};
  while (file) {
    file.read(chunk.data(), chunk.size());
    SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(chunk.data()),
                 static_cast<std::size_t>(file.gcount()));
  }
  if (file.eof()) return ok();
  return Error{Errc::io, printable(path.native()) + ": cannot be read"};
}

}  // namespace

Result<std::string> hash_network(const std::filesystem::path& param_path) {
  SHA2_CTX context{};
  SHA256Init(&context);
  for (const auto& path : {param_path, nn::weights_path(param_path)}) {
    if (auto added = add_file(path, context); !added) return added.error();
  }
  std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
  SHA256End(&context, text.data());  // writes the digest as hexadecimal text
  return std::string{text.data()};
}

jobs::Json NetworkIdentifier::identify(const jobs::Json& facts) {
  if (settings_.width == 0 && settings_.height == 0) return identify_for_scale(settings_.scale);
  const double width = jobs::number_field(facts, "width");
  const double height = jobs::number_field(facts, "height");
  if (width < 1 || height < 1) return jobs::Json::object();
  return identify_for_scale(required_scale(settings_, static_cast<int>(width), static_cast<int>(height)));
}

jobs::Json NetworkIdentifier::identify_for_scale(double scale) {
  const auto entry = cache_.select(scale);
  if (!entry) return jobs::Json::object();
  auto known = hashes_.find(entry->param_path);
  if (known == hashes_.end()) {
    auto hash = hash_network(entry->param_path);
    if (!hash) return jobs::Json::object();
    known = hashes_.emplace(entry->param_path, *std::move(hash)).first;
  }
  return {{"network", entry->name}, {"sha256", known->second}};
}

}  // namespace weir::tasks

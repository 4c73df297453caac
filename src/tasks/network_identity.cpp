#include "tasks/network_identity.hpp"

#include <sha2.h>

#include <array>
#include <fstream>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;

Status add_file(const std::filesystem::path& path, SHA2_CTX& context) {
  std::ifstream file{path, std::ios::binary};
  std::array<char, kPiece> piece{};
  while (file) {
    file.read(piece.data(), piece.size());
    SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(piece.data()),
                 static_cast<std::size_t>(file.gcount()));
  }
  if (file.eof()) return ok();
  return Error{Errc::io, printable(path.native()) + ": cannot be read"};
}

}  // namespace

Result<std::string> hash_network(const std::filesystem::path& param) {
  SHA2_CTX context{};
  SHA256Init(&context);
  for (const auto& path : {param, nn::weights_of(param)}) {
    if (auto added = add_file(path, context); !added) return added.error();
  }
  std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
  SHA256End(&context, text.data());
  return std::string{text.data()};
}

jobs::Json NetworkIdentity::now(const jobs::Json& facts) {
  if (wanted_.width == 0 && wanted_.height == 0) return of(wanted_.scale);
  const double width = jobs::number_field(facts, "width");
  const double height = jobs::number_field(facts, "height");
  if (width < 1 || height < 1) return jobs::Json::object();
  return of(wanted_scale(wanted_, static_cast<int>(width), static_cast<int>(height)));
}

jobs::Json NetworkIdentity::of(double scale) {
  const auto entry = shelf_.select(scale);
  if (!entry) return jobs::Json::object();
  auto known = hashes_.find(entry->param);
  if (known == hashes_.end()) {
    auto hash = hash_network(entry->param);
    if (!hash) return jobs::Json::object();
    known = hashes_.emplace(entry->param, *std::move(hash)).first;
  }
  return {{"network", entry->name}, {"sha256", known->second}};
}

}  // namespace weir::tasks

#include "nn/train/checkpoint.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/atomic_file.hpp"

namespace weir::nn::train {

namespace {

static_assert(std::endian::native == std::endian::little);
constexpr char kMagic[] = "weirtrn1";  // the last character is the number of the form
constexpr std::size_t kMagicBytes = 8, kHashBytes = 8;

struct Named {
  std::string name;
  Operand operand;
};
/// What is saved, in its order.
std::vector<Named> arrays_of(const Progress& progress) {
  std::vector<Named> all;
  const std::vector<Operand> state = progress.optimiser.state();
  const std::size_t count = progress.parameters.all().size(), each = count == 0 ? 0 : state.size() / count;
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter& p = progress.parameters.all()[i];
    all.push_back({p.name, p.value.operand()});
    for (std::size_t k = 0; k < each; ++k) all.push_back({fmt::format("{}/state{}", p.name, k), state[i * each + k]});
    if (progress.average != nullptr) all.push_back({p.name + "/average", progress.average->state()[i]});
  }
  return all;
}

void append(std::vector<std::byte>& to, const void* from, std::size_t count) {
  const std::size_t at = to.size();
  to.resize(at + count);
  if (count > 0) std::memcpy(to.data() + at, from, count);
}
template <class T>
void append(std::vector<std::byte>& to, T value) {
  append(to, &value, sizeof value);
}

/// Takes values from the front; false when there are too few bytes.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : left_{bytes} {}
  bool take(void* to, std::size_t count) {
    if (count > left_.size()) return false;
    if (count > 0) std::memcpy(to, left_.data(), count);
    left_ = left_.subspan(count);
    return true;
  }
  std::size_t left() const { return left_.size(); }

 private:
  std::span<const std::byte> left_;
};

bool parse_array(Reader& reader, Checkpoint::Array& array) {
  std::uint32_t name_bytes = 0;
  std::uint64_t count = 0;
  if (!reader.take(&name_bytes, sizeof name_bytes) || name_bytes > reader.left()) return false;
  array.name.resize(name_bytes);
  if (!reader.take(array.name.data(), name_bytes) || !reader.take(&count, sizeof count)) return false;
  if (count > reader.left() / sizeof(float)) return false;
  array.values.resize(count);
  return reader.take(array.values.data(), count * sizeof(float));
}

}  // namespace

Result<Checkpoint> take_checkpoint(const Progress& progress, std::uint64_t position) {
  Checkpoint made{position, progress.optimiser.steps(), {}};
  for (const Named& one : arrays_of(progress)) {
    std::vector<float> values(one.operand.count);
    if (auto done = progress.parameters.device().read(one.operand, values); !done) return done.error();
    made.arrays.push_back({one.name, std::move(values)});
  }
  return made;
}

Status restore(const Checkpoint& checkpoint, const Progress& progress) {
  const std::vector<Named> arrays = arrays_of(progress);
  if (arrays.size() != checkpoint.arrays.size()) {
    return Error{Errc::corrupt, fmt::format("checkpoint of another training: {} arrays, and {} are wanted",
                                            checkpoint.arrays.size(), arrays.size())};
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Checkpoint::Array& saved = checkpoint.arrays[i];
    if (saved.name == arrays[i].name && saved.values.size() == arrays[i].operand.count) continue;
    return Error{Errc::corrupt, fmt::format("checkpoint of another training: array {} is not {} of {} values", i,
                                            arrays[i].name, arrays[i].operand.count)};
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    auto done = progress.parameters.device().write(arrays[i].operand, checkpoint.arrays[i].values);
    if (!done) return done;
  }
  progress.optimiser.set_steps(checkpoint.steps);
  return ok();
}

std::vector<std::byte> to_bytes(const Checkpoint& checkpoint) {
  std::vector<std::byte> bytes;
  append(bytes, kMagic, kMagicBytes);
  append(bytes, checkpoint.position);
  append(bytes, checkpoint.steps);
  append(bytes, static_cast<std::uint32_t>(checkpoint.arrays.size()));
  for (const Checkpoint::Array& array : checkpoint.arrays) {
    append(bytes, static_cast<std::uint32_t>(array.name.size()));
    append(bytes, array.name.data(), array.name.size());
    append(bytes, std::uint64_t{array.values.size()});
    append(bytes, array.values.data(), array.values.size() * sizeof(float));
  }
  append(bytes, std::uint64_t{XXH3_64bits(bytes.data(), bytes.size())});
  return bytes;
}

Result<Checkpoint> parse_checkpoint(std::span<const std::byte> bytes, const std::string& name) {
  const Error bad{Errc::corrupt, name + ": not a whole checkpoint of training"};
  if (bytes.size() < kMagicBytes + kHashBytes || std::memcmp(bytes.data(), kMagic, kMagicBytes - 1) != 0) return bad;
  if (std::memcmp(bytes.data(), kMagic, kMagicBytes) != 0)
    return Error{Errc::unsupported,
                 name + ": a checkpoint of training of another form; this weir reads form " + kMagic[kMagicBytes - 1]};
  const std::size_t hashed = bytes.size() - kHashBytes;
  std::uint64_t hash = 0;
  std::memcpy(&hash, bytes.data() + hashed, sizeof hash);
  if (hash != XXH3_64bits(bytes.data(), hashed)) return bad;
  Reader reader{bytes.first(hashed).subspan(kMagicBytes)};
  Checkpoint made;
  std::uint32_t arrays = 0;
  if (!reader.take(&made.position, 8) || !reader.take(&made.steps, 8) || !reader.take(&arrays, 4)) return bad;
  for (std::uint32_t i = 0; i < arrays; ++i) {
    if (!parse_array(reader, made.arrays.emplace_back())) return bad;
  }
  if (reader.left() != 0) return bad;
  return made;
}

Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = to_bytes(checkpoint);
  return write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<Checkpoint> load_checkpoint(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  if (!file) return Error{Errc::io, fmt::format("{}: cannot be read: {}", path.native(), errno_text(errno))};
  const std::streamoff size = file.tellg();
  if (size < 0) return Error{Errc::io, path.native() + ": cannot be read"};
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), size))
    return Error{Errc::io, path.native() + ": cannot be read"};
  return parse_checkpoint(bytes, path.native());
}

}  // namespace weir::nn::train

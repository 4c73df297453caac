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
constexpr char kMagic[] = "weirtrn1";  // the last character is the version of the file format
constexpr std::size_t kMagicBytes = 8, kHashBytes = 8;

/// A device array with its name in the file.
struct NamedArray {
  std::string name;
  Operand operand;
};
/// Returns all arrays of a checkpoint, in the order of the file.
std::vector<NamedArray> list_arrays(const TrainingState& training) {
  std::vector<NamedArray> arrays;
  const std::vector<Operand> state = training.optimiser.state();
  const std::size_t count = training.parameters.parameters().size(),
                    arrays_per_parameter = count == 0 ? 0 : state.size() / count;
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter& p = training.parameters.parameters()[i];
    arrays.push_back({p.name, p.value.operand()});
    for (std::size_t k = 0; k < arrays_per_parameter; ++k)
      arrays.push_back({fmt::format("{}/state{}", p.name, k), state[i * arrays_per_parameter + k]});
    if (training.ema != nullptr) arrays.push_back({p.name + "/average", training.ema->state()[i]});
  }
  return arrays;
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

/// Reads a sequence of bytes from start to end.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : left_{bytes} {}
  /// Copies the next `count` bytes to `to`. Returns false if there are fewer.
  bool read(void* to, std::size_t count) {
    if (count > left_.size()) return false;
    if (count > 0) std::memcpy(to, left_.data(), count);
    left_ = left_.subspan(count);
    return true;
  }
  std::size_t bytes_left() const { return left_.size(); }

 private:
  std::span<const std::byte> left_;
};

/// Reads the next array. Returns false if the remaining bytes are too few.
bool parse_array(Reader& reader, Checkpoint::Array& array) {
  std::uint32_t name_bytes = 0;
  std::uint64_t count = 0;
  if (!reader.read(&name_bytes, sizeof name_bytes) || name_bytes > reader.bytes_left()) return false;
  array.name.resize(name_bytes);
  if (!reader.read(array.name.data(), name_bytes) || !reader.read(&count, sizeof count)) return false;
  if (count > reader.bytes_left() / sizeof(float)) return false;
  array.values.resize(count);
  return reader.read(array.values.data(), count * sizeof(float));
}

}  // namespace

Result<Checkpoint> take_checkpoint(const TrainingState& training, std::uint64_t position) {
  Checkpoint made{position, training.optimiser.steps(), {}};
  for (const NamedArray& array : list_arrays(training)) {
    std::vector<float> values(array.operand.count);
    if (auto done = training.parameters.device().read(array.operand, values); !done) return done.error();
    made.arrays.push_back({array.name, std::move(values)});
  }
  return made;
}

Status restore_checkpoint(const Checkpoint& checkpoint, const TrainingState& training) {
  const std::vector<NamedArray> arrays = list_arrays(training);
  if (arrays.size() != checkpoint.arrays.size()) {
    return Error{Errc::corrupt, fmt::format("checkpoint of another training: {} arrays instead of {}",
                                            checkpoint.arrays.size(), arrays.size())};
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Checkpoint::Array& saved = checkpoint.arrays[i];
    if (saved.name == arrays[i].name && saved.values.size() == arrays[i].operand.count) continue;
    return Error{Errc::corrupt, fmt::format("checkpoint of another training: array {} is not {} of {} values", i,
                                            arrays[i].name, arrays[i].operand.count)};
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    auto done = training.parameters.device().write(arrays[i].operand, checkpoint.arrays[i].values);
    if (!done) return done;
  }
  training.optimiser.set_steps(checkpoint.steps);
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
  const Error bad{Errc::corrupt, name + ": not a complete training checkpoint"};
  if (bytes.size() < kMagicBytes + kHashBytes || std::memcmp(bytes.data(), kMagic, kMagicBytes - 1) != 0) return bad;
  if (std::memcmp(bytes.data(), kMagic, kMagicBytes) != 0)
    return Error{Errc::unsupported, name + ": a training checkpoint of another format version; this weir reads " +
                                        "version " + kMagic[kMagicBytes - 1]};
  const std::size_t hashed_bytes = bytes.size() - kHashBytes;
  std::uint64_t hash = 0;
  std::memcpy(&hash, bytes.data() + hashed_bytes, sizeof hash);
  if (hash != XXH3_64bits(bytes.data(), hashed_bytes)) return bad;
  Reader reader{bytes.first(hashed_bytes).subspan(kMagicBytes)};
  Checkpoint made;
  std::uint32_t array_count = 0;
  if (!reader.read(&made.position, sizeof made.position) || !reader.read(&made.steps, sizeof made.steps) ||
      !reader.read(&array_count, sizeof array_count)) {
    return bad;
  }
  for (std::uint32_t i = 0; i < array_count; ++i) {
    if (!parse_array(reader, made.arrays.emplace_back())) return bad;
  }
  if (reader.bytes_left() != 0) return bad;
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

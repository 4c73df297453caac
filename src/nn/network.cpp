#include "nn/network.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "nn/formats/ncnn/ncnn_graph.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"
#include "nn/formats/ncnn/ncnn_weights.hpp"

namespace weir::nn {

namespace {

/// Returns the length of a regular file in bytes. Errors: io.
Result<std::uint64_t> find_file_length(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Error{Errc::io, fmt::format("{}: no such file", path.string())};
  }
  if (!code && !std::filesystem::is_regular_file(status)) {
    return Error{Errc::io, fmt::format("{}: not a regular file", path.string())};
  }
  const auto length = code ? 0 : std::filesystem::file_size(path, code);
  if (code) return Error{Errc::io, fmt::format("{}: {}", path.string(), code.message())};
  return static_cast<std::uint64_t>(length);
}

/// Returns the length of the file of weights in bytes. Errors: io; if the file is missing, the message contains the
/// path where it is expected.
Result<std::uint64_t> find_weights_length(const std::filesystem::path& bin, const std::filesystem::path& param_path) {
  std::error_code code;
  if (std::filesystem::exists(bin, code) || code) return find_file_length(bin);
  return Error{Errc::io, fmt::format("{}: no such file; the weights of {} are expected there", bin.string(),
                                     param_path.filename().string())};
}

/// Reads the bytes of a .bin that are in memory.
class MemoryWeightReader final : public WeightReader {
 public:
  explicit MemoryWeightReader(std::span<const std::byte> bytes) : rest_{bytes} {}
  [[nodiscard]] std::uint64_t bytes_left() const override { return rest_.size(); }
  Status read(std::span<std::byte> to) override {
    std::copy_n(rest_.begin(), to.size(), to.begin());
    rest_ = rest_.subspan(to.size());
    return ok();
  }

 private:
  std::span<const std::byte> rest_;
};

/// Reads a .bin file; read_param() also reads a .param file with it.
class FileReader final : public WeightReader {
 public:
  /// Opens a file for reading. Errors: io.
  static Result<FileReader> open(const std::filesystem::path& path) {
    const auto length = find_file_length(path);
    if (!length) return length.error();
    FileReader file{path, *length};
    if (!file.stream_) return Error{Errc::io, fmt::format("{}: cannot be opened for reading", path.string())};
    return file;
  }
  [[nodiscard]] std::uint64_t bytes_left() const override { return left_; }
  Status read(std::span<std::byte> to) override {
    stream_.read(reinterpret_cast<char*>(to.data()), std::ssize(to));
    if (stream_.gcount() != std::ssize(to)) return Error{Errc::io, fmt::format("{}: reading failed", path_.string())};
    left_ -= to.size();
    return ok();
  }

 private:
  FileReader(const std::filesystem::path& path, std::uint64_t length)
      : path_{path}, stream_{path, std::ios::binary}, left_{length} {}

  std::filesystem::path path_;
  std::ifstream stream_;
  std::uint64_t left_;  // number of bytes that were not read yet
};

/// Reads the text of a .param. `name` is the file's name for messages.
Result<NcnnDescription> parse_param(std::string_view param_text, const std::string& name) {
  const auto lines = read_ncnn_text(param_text, name);
  if (!lines) return lines.error();
  return build_ncnn_graph(*lines, name);
}

/// Reads a .param file.
Result<NcnnDescription> read_param(const std::filesystem::path& param_path) {
  auto file = FileReader::open(param_path);
  if (!file) return file.error();
  if (file->bytes_left() > kMaxParamBytes) {
    return Error{Errc::unsupported, fmt::format("{}: {} bytes; a text network of up to {} bytes is supported",
                                                param_path.string(), file->bytes_left(), kMaxParamBytes)};
  }
  std::string text(static_cast<std::size_t>(file->bytes_left()), '\0');
  if (auto status = file->read(std::as_writable_bytes(std::span{text})); !status) return status.error();
  return parse_param(text, param_path.string());
}

Error too_long_error(const std::filesystem::path& bin, std::uint64_t length, Bytes most) {
  return {Errc::corrupt, fmt::format("{}: {} bytes; the .param beside it accounts for at most {}", bin.string(), length,
                                     most.count())};
}

/// Checks what a run needs and returns the network. `name` becomes Network::name and begins the messages.
Result<Network> make_network(NcnnDescription description, const std::string& name) {
  Network network;
  const auto with_name = [&](const Error& error) { return Error{error.code, fmt::format("{}: {}", name, error.what)}; };
  auto family = recognise_family(description.graph);
  if (!family) return with_name(family.error());
  const auto multiplications = multiplications_per_pixel(description.graph);
  if (!multiplications) return with_name(multiplications.error());
  network.graph = std::move(description.graph);
  network.family = *std::move(family);
  network.parameters = count_parameters(description.arrays);
  network.multiplications_per_pixel = *multiplications;
  network.name = name;
  return network;
}

/// The same for a network that was read from a file.
Result<Network> make_network(NcnnDescription description, const std::filesystem::path& param_path) {
  auto network = make_network(std::move(description), param_path.string());
  if (!network) return network;
  network->name = param_path.stem().string();
  network->param_path = param_path;
  return network;
}

}  // namespace

std::filesystem::path weights_path(const std::filesystem::path& param_path) {
  std::filesystem::path bin = param_path;
  return bin.replace_extension(".bin");
}

Result<Network> parse_network(std::string_view param_text, std::span<const std::byte> bin, const std::string& name) {
  auto description = parse_param(param_text, name);
  if (!description) return description.error();
  MemoryWeightReader reader{bin};
  if (auto status = read_ncnn_weights(*description, reader, name); !status) return status.error();
  return make_network(*std::move(description), name);
}

Result<Network> load_network(const std::filesystem::path& param_path) {
  auto description = read_param(param_path);
  if (!description) return description.error();
  const std::filesystem::path bin = weights_path(param_path);
  auto file = FileReader::open(bin);
  if (!file) return file.error();
  const Bytes most = bin_length(description->arrays).most;
  if (Bytes{file->bytes_left()} > most) return too_long_error(bin, file->bytes_left(), most);
  if (auto status = read_ncnn_weights(*description, *file, bin.string()); !status) return status.error();
  return make_network(*std::move(description), param_path);
}

Result<Network> read_network_structure(const std::filesystem::path& param_path) {
  auto description = read_param(param_path);
  if (!description) return description.error();
  const std::filesystem::path bin = weights_path(param_path);
  const auto length = find_weights_length(bin, param_path);
  if (!length) return length.error();
  const NcnnBinLength possible = bin_length(description->arrays);
  if (Bytes{*length} > possible.most) return too_long_error(bin, *length, possible.most);
  if (Bytes{*length} < possible.least) return load_network(param_path);  // returns the detailed error
  return make_network(*std::move(description), param_path);
}

}  // namespace weir::nn

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

/// Length of a regular file. Errors: io.
Result<std::uint64_t> file_length(const std::filesystem::path& path) {
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

/// Length of the file of weights. Errors: io, saying where they are looked for if they are not there.
Result<std::uint64_t> weights_length(const std::filesystem::path& bin, const std::filesystem::path& param) {
  std::error_code code;
  if (std::filesystem::exists(bin, code) || code) return file_length(bin);
  return Error{Errc::io, fmt::format("{}: no such file; the weights of {} are taken from there", bin.string(),
                                     param.filename().string())};
}

class MemoryBytes final : public WeightBytes {
 public:
  explicit MemoryBytes(std::span<const std::byte> bytes) : rest_{bytes} {}
  [[nodiscard]] std::uint64_t left() const override { return rest_.size(); }
  Status read(std::span<std::byte> to) override {
    std::copy_n(rest_.begin(), to.size(), to.begin());
    rest_ = rest_.subspan(to.size());
    return ok();
  }

 private:
  std::span<const std::byte> rest_;
};

class FileBytes final : public WeightBytes {
 public:
  /// Errors: io.
  static Result<FileBytes> open(const std::filesystem::path& path) {
    const auto length = file_length(path);
    if (!length) return length.error();
    FileBytes file{path, *length};
    if (!file.stream_) return Error{Errc::io, fmt::format("{}: cannot be opened for reading", path.string())};
    return file;
  }
  [[nodiscard]] std::uint64_t left() const override { return left_; }
  Status read(std::span<std::byte> to) override {
    stream_.read(reinterpret_cast<char*>(to.data()), std::ssize(to));
    if (stream_.gcount() != std::ssize(to)) return Error{Errc::io, fmt::format("{}: reading failed", path_.string())};
    left_ -= to.size();
    return ok();
  }

 private:
  FileBytes(const std::filesystem::path& path, std::uint64_t length)
      : path_{path}, stream_{path, std::ios::binary}, left_{length} {}

  std::filesystem::path path_;
  std::ifstream stream_;
  std::uint64_t left_;
};

Result<NcnnDescription> describe_text(std::string_view param, const std::string& name) {
  const auto lines = read_ncnn_text(param, name);
  if (!lines) return lines.error();
  return build_ncnn_graph(*lines, name);
}

Result<NcnnDescription> describe_file(const std::filesystem::path& param) {
  auto file = FileBytes::open(param);
  if (!file) return file.error();
  if (file->left() > kLargestParamBytes) {
    return Error{Errc::unsupported, fmt::format("{}: {} bytes; a text network of up to {} bytes is supported",
                                                param.string(), file->left(), kLargestParamBytes)};
  }
  std::string text(static_cast<std::size_t>(file->left()), '\0');
  if (auto status = file->read(std::as_writable_bytes(std::span{text})); !status) return status.error();
  return describe_text(text, param.string());
}

Error too_long(const std::filesystem::path& bin, std::uint64_t length, Bytes most) {
  return {Errc::corrupt, fmt::format("{}: {} bytes; the .param beside it accounts for at most {}", bin.string(), length,
                                     most.count())};
}

Result<Network> make_network(NcnnDescription description, const std::string& name) {
  Network network;
  const auto explain = [&](const Error& error) { return Error{error.code, fmt::format("{}: {}", name, error.what)}; };
  auto family = recognise(description.graph);
  if (!family) return explain(family.error());
  const auto multiplications = multiplications_per_pixel(description.graph);
  if (!multiplications) return explain(multiplications.error());
  network.graph = std::move(description.graph);
  network.family = *std::move(family);
  network.parameters = count_parameters(description.arrays);
  network.multiplications_per_pixel = *multiplications;
  network.name = name;
  return network;
}

Result<Network> make_network(NcnnDescription description, const std::filesystem::path& param) {
  auto network = make_network(std::move(description), param.string());
  if (!network) return network;
  network->name = param.stem().string();
  network->param = param;
  return network;
}

}  // namespace

std::filesystem::path weights_of(const std::filesystem::path& param) {
  std::filesystem::path bin = param;
  return bin.replace_extension(".bin");
}

Result<Network> parse_network(std::string_view param, std::span<const std::byte> bin, const std::string& name) {
  auto description = describe_text(param, name);
  if (!description) return description.error();
  MemoryBytes bytes{bin};
  if (auto status = read_ncnn_weights(*description, bytes, name); !status) return status.error();
  return make_network(*std::move(description), name);
}

Result<Network> load_network(const std::filesystem::path& param) {
  auto description = describe_file(param);
  if (!description) return description.error();
  const std::filesystem::path bin = weights_of(param);
  auto file = FileBytes::open(bin);
  if (!file) return file.error();
  const Bytes most = bin_length(description->arrays).most;
  if (Bytes{file->left()} > most) return too_long(bin, file->left(), most);
  if (auto status = read_ncnn_weights(*description, *file, bin.string()); !status) return status.error();
  return make_network(*std::move(description), param);
}

Result<Network> describe_network(const std::filesystem::path& param) {
  auto description = describe_file(param);
  if (!description) return description.error();
  const std::filesystem::path bin = weights_of(param);
  const auto length = weights_length(bin, param);
  if (!length) return length.error();
  const NcnnBinLength fitting = bin_length(description->arrays);
  if (Bytes{*length} > fitting.most) return too_long(bin, *length, fitting.most);
  if (Bytes{*length} < fitting.least) return load_network(param);  // it finds out why
  return make_network(*std::move(description), param);
}

}  // namespace weir::nn

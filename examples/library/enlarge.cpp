// Enlarges a binary PPM picture row by row: enlarge_cpp NETWORK.param IN.ppm OUT.ppm [DEVICE]
// DEVICE is cpu, gpu or a part of a GPU's name. Without DEVICE, the program uses at most 256 MiB of memory; with DEVICE
// the limit is half of the free memory, because the driver of a GPU needs more. Neither the whole picture nor the whole
// result is in memory at any time.
#include <weir/upscale.hpp>

#include <fstream>
#include <iostream>
#include <string>

namespace {

/// Reads the rows of a PPM file.
class PpmSource : public weir::RowSource {
 public:
  explicit PpmSource(const std::string& path) : file_{path, std::ios::binary} {
    std::string kind;
    int largest = 0;
    file_ >> kind >> shape_.width >> shape_.height >> largest;
    file_.get();
    good_ = file_ && kind == "P6" && largest == 255;
    rows_ = file_.tellg();
  }
  bool good() const { return good_; }
  const weir::PictureShape& shape() const { return shape_; }

  bool read(std::span<std::byte> rows) override {
    return static_cast<bool>(
        file_.read(reinterpret_cast<char*>(rows.data()), static_cast<std::streamsize>(rows.size())));
  }
  bool rewind() override { return static_cast<bool>(file_.seekg(rows_)); }

 private:
  std::ifstream file_;
  std::streampos rows_;  // position of the first row in the file
  weir::PictureShape shape_;
  bool good_ = false;
};

/// Writes the rows of a PPM file.
class PpmSink : public weir::RowSink {
 public:
  PpmSink(const std::string& path, const weir::PictureShape& shape) : file_{path, std::ios::binary} {
    file_ << "P6\n" << shape.width << ' ' << shape.height << "\n255\n";
  }
  bool write(std::span<const std::byte> rows) override {
    return static_cast<bool>(
        file_.write(reinterpret_cast<const char*>(rows.data()), static_cast<std::streamsize>(rows.size())));
  }

 private:
  std::ofstream file_;
};

int report_error(const weir::Problem& problem) {
  std::cerr << "error: " << problem.what << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: enlarge_cpp NETWORK.param IN.ppm OUT.ppm [DEVICE]\n";
    return 2;
  }
  auto network = weir::Upscaler::load(argv[1]);
  if (!network) return report_error(network.problem());
  PpmSource source{argv[2]};
  if (!source.good()) {
    std::cerr << "error: " << argv[2] << " is not a binary PPM picture of 8 bits\n";
    return 1;
  }

  weir::UpscaleOptions options;
  if (argc == 5)
    options.device = argv[4];
  else
    options.ram_bytes = 256ULL << 20;
  const auto plan = network->plan(source.shape(), options);
  if (!plan) return report_error(plan.problem());
  std::cout << plan->output.width << " x " << plan->output.height << ", at most " << (plan->ram_bytes >> 20)
            << " MiB, on " << plan->device << ", weir " << weir::version() << '\n';

  PpmSink sink{argv[3], plan->output};
  const auto report = network->run(source.shape(), options, source, sink);
  if (!report) return report_error(report.problem());
  for (const std::string& event : report->events) std::cout << event << '\n';
  return 0;
}

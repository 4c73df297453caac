// Makes the input pictures of the benchmarks from the pictures in the folder SAMPLES: weir_bench_inputs SAMPLES FOLDER
// Writes FOLDER/page.png and FOLDER/crop.png, copies of samples, and FOLDER/4k.png, the page resized to 3840 x 2160.
#include <vips/vips8>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: weir_bench_inputs SAMPLES FOLDER\n", stderr);
    return 2;
  }
  if (VIPS_INIT(argv[0]) != 0) return 1;
  const std::string samples = argv[1], folder = argv[2];
  try {
    const vips::VImage page = vips::VImage::new_from_file((samples + "/page-1200x1800.png").c_str());
    page.write_to_file((folder + "/page.png").c_str());
    vips::VImage::new_from_file((samples + "/crop256.png").c_str()).write_to_file((folder + "/crop.png").c_str());
    constexpr int kWidth = 3840, kHeight = 2160;
    page.resize(static_cast<double>(kWidth) / page.width(),
                vips::VImage::option()->set("vscale", static_cast<double>(kHeight) / page.height()))
        .write_to_file((folder + "/4k.png").c_str());
  } catch (const vips::VError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}

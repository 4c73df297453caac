// A peer program, to compare weir with: enlarges one picture with ncnn on the CPU, tile by tile, as common programs do.
//
// usage: weir_peer_ncnn INPUT OUTPUT NETWORK.param [TILE [SYNC [THREADS]]]
//   TILE     width and height of a tile in pixels, without its border; default 200
//   SYNC     where the channel means of RealCUGAN networks (se, pro) come from (a pass is a run over all tiles):
//            0  each tile uses its own means
//            1  exact means of the whole picture: four passes, one for each vector of means, before the last pass
//            2  approximate means over all tiles, all from one pass before the last pass
//            3  (default) as 2, but only from every third tile on each axis, with tiles of 32 pixels
//   THREADS  number of threads; default 2
//
// It works like those programs: the same grid of tiles, a reflected border of 10 pixels (RealCUGAN: 18, 14, 19 for 2x,
// 3x, 4x), sample values divided by 255, rounding by +0.5 and truncation, the whole output in memory, a PNG file at the
// end. RGB only. One thread writes the PNG, with a compression level that takes as long as the PNG writer of those
// programs. It uses ncnn's public interface.
#include <net.h>
#include <vips/vips8>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

int number(const std::string& text) { return static_cast<int>(std::strtol(text.c_str(), nullptr, 10)); }

struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> samples;  // [h, w, 3]
};

Picture read(const char* path) {
  const vips::VImage file = vips::VImage::new_from_file(path)
                                .colourspace(VIPS_INTERPRETATION_sRGB)
                                .extract_band(0, vips::VImage::option()->set("n", 3))
                                .cast(VIPS_FORMAT_UCHAR);
  std::size_t size = 0;
  auto* bytes = static_cast<std::uint8_t*>(file.write_to_memory(&size));
  Picture picture{file.width(), file.height(), {bytes, bytes + size}};
  g_free(bytes);
  return picture;
}

void write(const Picture& picture, const char* path) {
  vips_concurrency_set(1);
  vips::VImage::new_from_memory(const_cast<std::uint8_t*>(picture.samples.data()), picture.samples.size(),
                                picture.width, picture.height, 3, VIPS_FORMAT_UCHAR)
      .copy(vips::VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB))
      .pngsave(path, vips::VImage::option()->set("compression", 4)->set("filter", VIPS_FOREIGN_PNG_FILTER_ALL));
}

// The names of the vectors of channel means that a RealCUGAN network computes, in this order.
constexpr std::array kMeans{"gap0", "gap1", "gap2", "gap3"};
// The values of these vectors; a vector is empty if it is not known yet.
using ChannelMeans = std::array<std::vector<float>, kMeans.size()>;

struct Tile {
  int x = 0, y = 0, width = 0, height = 0;  // rectangle of the input, without border
};

// A loaded network. Errors end the program.
class Peer {
 public:
  Peer(const std::string& param, int threads) {
    net_.opt.num_threads = threads;
    const std::string bin = param.substr(0, param.rfind('.')) + ".bin";
    if (net_.load_param(param.c_str()) != 0 || net_.load_model(bin.c_str()) != 0) {
      std::fprintf(stderr, "error: load %s\n", param.c_str());
      std::exit(1);
    }
    for (const ncnn::Blob& blob : net_.blobs()) {
      is_cugan_ = is_cugan_ || blob.name == "in0";
      has_means_ = has_means_ || blob.name == kMeans[0];
    }
    find_scale();
  }

  // Enlarges a picture. `tile` and `sync` are the arguments TILE and SYNC of the program.
  Picture enlarge(const Picture& in, int tile, int sync) {
    ChannelMeans means;
    if (has_means_ && tile < std::max(in.width, in.height)) {
      if (sync == 1) {
        for (std::size_t i = 0; i < kMeans.size(); ++i) collect(in, grid(in, tile, 1), means, i, i + 1);
      } else if (sync == 2) {
        collect(in, grid(in, tile, 1), means, 0, kMeans.size());
      } else if (sync == 3) {
        collect(in, grid(in, 32, 3), means, 0, kMeans.size());
      }
    }
    Picture out{in.width * scale_, in.height * scale_, {}};
    out.samples.resize(static_cast<std::size_t>(out.width) * out.height * 3);
    for (const Tile& t : grid(in, tile, 1)) {
      ncnn::Extractor run = start(in, t, means);
      ncnn::Mat result;
      run.extract(is_cugan_ ? "out0" : "output", result);
      store(result, in, t, out);
    }
    return out;
  }

 private:
  // Finds the scale from the output size for a small picture. A RealCUGAN network crops a border, whose width depends
  // on the scale, from each side of its input.
  void find_scale() {
    ncnn::Mat probe(64, 64, 3), result;
    probe.fill(0.5F);
    ncnn::Extractor run = net_.create_extractor();
    run.input(is_cugan_ ? "in0" : "data", probe);
    run.extract(is_cugan_ ? "out0" : "output", result);
    if (!is_cugan_) {
      scale_ = result.w / 64;
      border_ = 10;
      return;
    }
    for (const auto& [scale, border] : {std::pair{2, 18}, std::pair{3, 14}, std::pair{4, 19}}) {
      if ((64 - 2 * border) * scale == result.w) {
        scale_ = scale;
        border_ = border;
      }
    }
  }

  // Returns every `every`-th tile on each axis.
  static std::vector<Tile> grid(const Picture& in, int tile, int every) {
    std::vector<Tile> tiles;
    for (int y = 0; y < in.height; y += tile * every) {
      for (int x = 0; x < in.width; x += tile * every) {
        tiles.push_back({x, y, std::min(tile, in.width - x), std::min(tile, in.height - y)});
      }
    }
    return tiles;
  }

  // Returns the tile with its border, reflected at the edges of the picture; its size is rounded up to a multiple of 2
  // or 4.
  ncnn::Mat cut(const Picture& in, const Tile& t) const {
    const int align = scale_ == 3 ? 4 : 2;
    const int width = (t.width + align - 1) / align * align + 2 * border_;
    const int height = (t.height + align - 1) / align * align + 2 * border_;
    const auto reflected = [](int at, int size) {
      if (size == 1) return 0;
      const int period = 2 * (size - 1);
      at = ((at % period) + period) % period;
      return at < size ? at : period - at;
    };
    ncnn::Mat mat(width, height, 3);
    for (int c = 0; c < 3; ++c) {
      float* to = mat.channel(c);
      for (int y = 0; y < height; ++y) {
        const std::uint8_t* row =
            &in.samples[static_cast<std::size_t>(reflected(t.y - border_ + y, in.height)) * in.width * 3];
        for (int x = 0; x < width; ++x) {
          *to++ = static_cast<float>(row[reflected(t.x - border_ + x, in.width) * 3 + c]) * (1 / 255.F);
        }
      }
    }
    return mat;
  }

  // Returns an extractor with the tile and the known means as its inputs.
  ncnn::Extractor start(const Picture& in, const Tile& t, const ChannelMeans& means) const {
    ncnn::Extractor run = net_.create_extractor();
    run.input(is_cugan_ ? "in0" : "data", cut(in, t));
    for (std::size_t i = 0; i < kMeans.size(); ++i) {
      if (means[i].empty()) continue;
      ncnn::Mat given(static_cast<int>(means[i].size()));
      std::copy(means[i].begin(), means[i].end(), static_cast<float*>(given));
      run.input(kMeans[i], given);
    }
    return run;
  }

  // Sets the vectors means[first..last-1] to their averages over the tiles. The vectors before `first` are inputs of
  // the network.
  void collect(const Picture& in, const std::vector<Tile>& tiles, ChannelMeans& means, std::size_t first,
               std::size_t last) {
    std::array<std::vector<double>, kMeans.size()> sums;
    for (const Tile& t : tiles) {
      ncnn::Extractor run = start(in, t, means);
      for (std::size_t i = first; i < last; ++i) {
        ncnn::Mat packed, mean;
        run.extract(kMeans[i], packed);
        ncnn::convert_packing(packed, mean, 1);
        sums[i].resize(static_cast<std::size_t>(mean.w));
        for (int c = 0; c < mean.w; ++c) sums[i][c] += mean[c];
      }
    }
    for (std::size_t i = first; i < last; ++i) {
      means[i].clear();
      for (double sum : sums[i]) means[i].push_back(static_cast<float>(sum / static_cast<double>(tiles.size())));
    }
  }

  // Writes the result of a tile to `out`.
  void store(const ncnn::Mat& result, const Picture& in, const Tile& t, Picture& out) const {
    const int crop = is_cugan_ ? 0 : border_ * scale_;
    for (int c = 0; c < 3; ++c) {
      const ncnn::Mat channel = result.channel(c);
      for (int y = 0; y < t.height * scale_; ++y) {
        const float* from = channel.row(y + crop) + crop;
        std::uint8_t* to =
            &out.samples[(static_cast<std::size_t>(t.y * scale_ + y) * out.width + t.x * scale_) * 3 + c];
        for (int x = 0; x < t.width * scale_; ++x) {
          float value = from[x] * 255.F + 0.5F;
          if (is_cugan_ && scale_ == 4) {  // this network returns values to be added to the picture
            value += in.samples[(static_cast<std::size_t>(t.y + y / 4) * in.width + t.x + x / 4) * 3 + c];
          }
          to[static_cast<std::size_t>(x) * 3] = static_cast<std::uint8_t>(std::clamp(static_cast<int>(value), 0, 255));
        }
      }
    }
  }

  ncnn::Net net_;
  bool is_cugan_ = false;   // a RealCUGAN network, which crops the border itself
  bool has_means_ = false;  // it computes channel means
  int scale_ = 0, border_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: weir_peer_ncnn INPUT OUTPUT NETWORK.param [TILE [SYNC [THREADS]]]\n", stderr);
    return 2;
  }
  if (VIPS_INIT(argv[0]) != 0) return 1;
  const int tile = argc > 4 ? number(argv[4]) : 200, sync = argc > 5 ? number(argv[5]) : 3;
  const int threads = argc > 6 ? number(argv[6]) : 2;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto since = [&](auto start) { return std::chrono::duration<double>(now() - start).count(); };
  try {
    const Picture in = read(argv[1]);
    Peer peer{argv[3], threads};
    const auto begin = now();
    const Picture out = peer.enlarge(in, tile, sync);
    const double network = since(begin);
    const auto encoding = now();
    write(out, argv[2]);
    std::printf("network %.3f s, encode %.3f s\n", network, since(encoding));
  } catch (const vips::VError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}

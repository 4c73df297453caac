// Computes a convolution, the gradient of its input and the gradient of its weights as sums of matrix products
// (compute::ProductJob). Values are channels-last, so the inputs of an output pixel are, for each row of the kernel,
// kernel * channels adjacent floats. Each thread copies a band of input rows, with the zeros of the padding, into
// scratch memory; this costs a few percent of the time.

#include "nn/train/cpu_executor.hpp"

namespace weir::nn::train {

namespace {

using compute::ProductJob;

/// A batch of pictures `values` [images, h, w, c], read as if each picture were enlarged with zeros: `spread` - 1 rows
/// and columns of zeros between neighbouring pixels, and `border` rows and columns of zeros on each side. Pixel (0, 0)
/// of a picture is at row and column `border` of its enlarged form.
struct SpreadBatch {
  const float* values = nullptr;
  int images = 0, h = 0, w = 0, c = 0, spread = 1, border = 0;

  /// Copies rows first_row..first_row + rows - 1 of the enlarged form of picture `image` to `out`; of each row, the
  /// first `columns` pixels. Rows and pixels beyond the enlarged picture are zeros.
  void copy_rows(int image, int first_row, int rows, int columns, float* out) const {
    const auto row_floats = static_cast<std::size_t>(columns) * static_cast<std::size_t>(c);
    for (int r = 0; r < rows; ++r, out += row_floats) {
      const int y = first_row + r - border;
      if (y < 0 || y % spread != 0 || y / spread >= h) {
        std::fill_n(out, row_floats, 0.0F);
        continue;
      }
      copy_row(values + (static_cast<std::ptrdiff_t>(image) * h + y / spread) * w * c, columns, out);
    }
  }

 private:
  /// Copies `row`, a row of a picture, as a row of the enlarged picture.
  void copy_row(const float* row, int columns, float* out) const {
    if (spread == 1) {
      const int inside = std::max(0, std::min(w, columns - border));
      std::fill_n(out, static_cast<std::ptrdiff_t>(border) * c, 0.0F);
      std::copy_n(row, static_cast<std::ptrdiff_t>(inside) * c, out + static_cast<std::ptrdiff_t>(border) * c);
      std::fill(out + static_cast<std::ptrdiff_t>(border + inside) * c, out + static_cast<std::ptrdiff_t>(columns) * c,
                0.0F);
      return;
    }
    std::fill_n(out, static_cast<std::ptrdiff_t>(columns) * c, 0.0F);
    for (int x = 0; x < w && border + x * spread < columns; ++x) {
      std::copy_n(row + static_cast<std::ptrdiff_t>(x) * c, c,
                  out + static_cast<std::ptrdiff_t>(border + x * spread) * c);
    }
  }
};

/// Returns the number of output rows to compute from one copied band of input rows, 1 to 16. With stride 1 the band has
/// `kernel` - 1 rows more than that. Unless one output row already needs more, it has at most about kBandFloats values,
/// so that it stays in the processor's first two caches. With a larger stride the band is larger.
int band_rows(int columns, int channels, int kernel) {
  constexpr int kBandFloats = 12000;  // 48 KB
  return std::clamp(kBandFloats / std::max(1, columns * channels) - kernel, 1, 16);
}

/// The arguments of convolve_rows(): out [input.images, h, w, out_c] (+)= bias + convolution of the enlarged pictures
/// of `input` with weights [kernel, kernel, input.c, out_c]; (+)= as in command.hpp. The border of the enlarged
/// pictures is the only padding.
struct ConvolutionJob {
  SpreadBatch input;
  const float* weights = nullptr;
  const float* bias = nullptr;
  float* out = nullptr;
  int h = 0, w = 0, out_c = 0, kernel = 1, stride = 1;
  bool accumulate = false;
};

/// Computes a convolution. A unit of parallel_for() is one output row; `first` and `last` are indices of output rows,
/// counted through all images. A thread copies one band of input rows at a time; `pitch` is the number of floats of a
/// row of the band.
void convolve_rows(CpuExecutor& executor, const ConvolutionJob& p) {
  const int in_c = p.input.c, columns = (p.w - 1) * p.stride + p.kernel, max_rows = band_rows(columns, in_c, p.kernel);
  const double cost = static_cast<double>(p.w) * p.kernel * p.kernel * in_c * p.out_c;
  executor.parallel_for(p.input.images * p.h, 1, cost, [&](int first, int last, int member) {
    const std::ptrdiff_t pitch = static_cast<std::ptrdiff_t>(columns) * in_c;
    float* band =
        executor.thread_scratch(member, static_cast<std::size_t>(pitch) * ((max_rows - 1) * p.stride + p.kernel));
    while (first < last) {
      const int image = first / p.h, y = first % p.h;
      const int rows = std::min({max_rows, last - first, p.h - y});  // a band is from one image
      p.input.copy_rows(image, y * p.stride, (rows - 1) * p.stride + p.kernel, columns, band);
      for (int r = 0; r < rows; ++r) {
        ProductJob job;
        job.values = band + r * p.stride * pitch;
        job.values_outer_step = pitch;
        job.row_step = static_cast<std::ptrdiff_t>(p.stride) * in_c;
        job.matrix = p.weights;
        job.matrix_outer_step = static_cast<std::ptrdiff_t>(p.kernel) * in_c * p.out_c;
        job.matrix_step = p.out_c;
        job.outer = p.kernel;
        job.inner = p.kernel * in_c;
        job.rows = p.w;
        job.columns = p.out_c;
        job.bias = p.bias;
        job.out = p.out + static_cast<std::ptrdiff_t>(first + r) * p.w * p.out_c;
        job.out_step = p.out_c;
        job.accumulate = p.accumulate;
        executor.kernels().product(job);
      }
      first += rows;
    }
  });
}

/// Returns true for a 1x1 convolution with stride 1 and without padding: it is one matrix product.
bool is_matrix_product(const WindowShape& s) { return s.window == Window{}; }
int count_output_pixels(const WindowShape& s) { return s.images * s.out_h * s.out_w; }

}  // namespace

void CpuExecutor::convolve(const ConvolveCommand& c) {
  const WindowShape& s = c.shape;
  if (is_matrix_product(s))
    return product({.a = c.in,
                    .b = c.weights,
                    .bias = c.bias,
                    .out = c.out,
                    .rows = count_output_pixels(s),
                    .columns = s.out_c,
                    .inner = s.in_c,
                    .accumulate = c.accumulate});
  const SpreadBatch input{.values = data(c.in),
                          .images = s.images,
                          .h = s.in_h,
                          .w = s.in_w,
                          .c = s.in_c,
                          .spread = 1,
                          .border = s.window.padding};
  convolve_rows(*this, {.input = input,
                        .weights = data(c.weights),
                        .bias = data(c.bias),
                        .out = data(c.out),
                        .h = s.out_h,
                        .w = s.out_w,
                        .out_c = s.out_c,
                        .kernel = s.window.kernel,
                        .stride = s.window.stride,
                        .accumulate = c.accumulate});
}

// The input gradient is a convolution of the output gradient, whose pixels are spread by the stride, with the kernel
// rotated by 180 degrees and its input and output channels exchanged.
void CpuExecutor::convolve_back(const ConvolveBackCommand& c) {
  const WindowShape& s = c.shape;
  if (is_matrix_product(s)) {
    return product({.a = c.out_gradient,
                    .b = c.weights,
                    .bias = {},
                    .out = c.in_gradient,
                    .rows = count_output_pixels(s),
                    .columns = s.in_c,
                    .inner = s.out_c,
                    .transpose_b = true,
                    .accumulate = c.accumulate});
  }
  const int taps = s.window.kernel * s.window.kernel;
  float* rotated = weights_scratch(c.weights.count);
  for (int tap = 0; tap < taps; ++tap) {
    const float* from = data(c.weights) + static_cast<std::ptrdiff_t>(taps - 1 - tap) * s.in_c * s.out_c;
    float* to = rotated + static_cast<std::ptrdiff_t>(tap) * s.in_c * s.out_c;
    for (int i = 0; i < s.in_c; ++i) {
      for (int o = 0; o < s.out_c; ++o) to[o * s.in_c + i] = from[i * s.out_c + o];
    }
  }
  const SpreadBatch out_gradient{.values = data(c.out_gradient),
                                 .images = s.images,
                                 .h = s.out_h,
                                 .w = s.out_w,
                                 .c = s.out_c,
                                 .spread = s.window.stride,
                                 .border = s.window.kernel - 1 - s.window.padding};
  convolve_rows(*this, {.input = out_gradient,
                        .weights = rotated,
                        .bias = nullptr,
                        .out = data(c.in_gradient),
                        .h = s.in_h,
                        .w = s.in_w,
                        .out_c = s.in_c,
                        .kernel = s.window.kernel,
                        .stride = 1,
                        .accumulate = c.accumulate});
}

// For each row `ky` of the kernel, the gradients of its weights [k * in_c, out_c] are a matrix product of inputs and
// output gradients, summed over all output pixels. The shape alone determines how the output rows of all images
// (`rows`) are divided into parts, and the sums of the parts are added in order, so the number of threads does not
// change the result.
void CpuExecutor::convolve_weights_back(const ConvolveWeightsBackCommand& c) {
  const WindowShape& s = c.shape;
  const int k = s.window.kernel, stride = s.window.stride, columns = (s.out_w - 1) * stride + k;
  const SpreadBatch input{.values = data(c.in),
                          .images = s.images,
                          .h = s.in_h,
                          .w = s.in_w,
                          .c = s.in_c,
                          .spread = 1,
                          .border = s.window.padding};
  const int rows = s.images * s.out_h, max_rows = std::max(2, band_rows(columns, s.in_c + s.out_c, k));
  const std::size_t size = c.weight_gradient.count;
  const double cost = static_cast<double>(s.out_w) * static_cast<double>(size);  // multiplications of one output row
  constexpr double kPartCost = 2e6;  // smallest number of multiplications of a part, unless there is only one part
  const int parts = std::clamp(static_cast<int>(cost * rows / kPartCost), 1, std::min<int>(kMaxPartialSums, rows));
  float* sums = shared_scratch(size * static_cast<std::size_t>(parts));
  parallel_for(parts, 1, cost * rows / parts, [&](int first_part, int last_part, int member) {
    const std::ptrdiff_t pitch = static_cast<std::ptrdiff_t>(columns) * s.in_c;
    float* band = thread_scratch(member, static_cast<std::size_t>(pitch) * ((max_rows - 1) * stride + k));
    for (int part = first_part; part < last_part; ++part) {
      float* out = sums + static_cast<std::size_t>(part) * size;
      std::fill_n(out, size, 0.0F);
      const auto first_row_of = [&](int p) { return static_cast<int>(static_cast<long long>(rows) * p / parts); };
      for (int first = first_row_of(part), last = first_row_of(part + 1), count = 0; first < last; first += count) {
        const int y = first % s.out_h;
        count = std::min({max_rows, last - first, s.out_h - y});
        input.copy_rows(first / s.out_h, y * stride, (count - 1) * stride + k, columns, band);
        for (int ky = 0; ky < k; ++ky) {
          // The inputs are the transposed left factor: its rows are weights, its inner index is an output pixel.
          ProductJob job;
          job.values = band + ky * pitch;
          job.values_outer_step = stride * pitch;
          job.row_step = 1;
          job.inner_step = static_cast<std::ptrdiff_t>(stride) * s.in_c;
          job.matrix = data(c.out_gradient) + static_cast<std::ptrdiff_t>(first) * s.out_w * s.out_c;
          job.matrix_outer_step = static_cast<std::ptrdiff_t>(s.out_w) * s.out_c;
          job.matrix_step = s.out_c;
          job.outer = count;
          job.inner = s.out_w;
          job.rows = k * s.in_c;
          job.columns = s.out_c;
          job.out = out + static_cast<std::ptrdiff_t>(ky) * k * s.in_c * s.out_c;
          job.out_step = s.out_c;
          job.accumulate = true;
          kernels_.product(job);
        }
      }
    }
  });
  add_partial_sums(sums, static_cast<std::size_t>(parts), size, data(c.weight_gradient), c.accumulate);
}

}  // namespace weir::nn::train

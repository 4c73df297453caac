#include "nn/train/cpu_work.hpp"

namespace weir::nn::train {

void CpuWork::product(const Product& c) {
  const float* b = at(c.b);
  if (c.transpose_b) {
    float* turned = weights(c.b.count);
    for (int j = 0; j < c.columns; ++j) {
      for (int k = 0; k < c.inner; ++k) {
        turned[static_cast<std::ptrdiff_t>(k) * c.columns + j] = b[static_cast<std::ptrdiff_t>(j) * c.inner + k];
      }
    }
    b = turned;
  }
  compute::ProductJob job;
  job.row_step = c.transpose_a ? 1 : c.inner;
  job.inner_step = c.transpose_a ? c.rows : 1;
  job.matrix = b;
  job.matrix_step = c.columns;
  job.inner = c.inner;
  job.columns = c.columns;
  job.bias = at(c.bias);
  job.out_step = c.columns;
  job.accumulate = c.accumulate;
  share(c.rows, kernels_.group, static_cast<double>(c.columns) * c.inner, [&](int first, int last, int) {
    compute::ProductJob piece = job;
    piece.values = at(c.a) + first * job.row_step;
    piece.out = at(c.out) + first * job.out_step;
    piece.rows = last - first;
    kernels_.product(piece);
  });
}

void CpuWork::cleanup() {
  for (Scratch& scratch : own_) scratch = Scratch{};
  shared_ = Scratch{};
  weights_ = Scratch{};
}

}  // namespace weir::nn::train

#include "nn/train/cpu_executor.hpp"

namespace weir::nn::train {

void CpuExecutor::product(const MatrixProductCommand& c) {
  const float* b = data(c.b);
  if (c.transpose_b) {
    float* transposed = weights_scratch(c.b.count);  // a ProductJob reads its matrix as [inner, columns]
    for (int j = 0; j < c.columns; ++j) {
      for (int k = 0; k < c.inner; ++k) {
        transposed[static_cast<std::ptrdiff_t>(k) * c.columns + j] = b[static_cast<std::ptrdiff_t>(j) * c.inner + k];
      }
    }
    b = transposed;
  }
  compute::ProductJob job;
  job.row_step = c.transpose_a ? 1 : c.inner;
  job.inner_step = c.transpose_a ? c.rows : 1;
  job.matrix = b;
  job.matrix_step = c.columns;
  job.inner = c.inner;
  job.columns = c.columns;
  job.bias = data(c.bias);
  job.out_step = c.columns;
  job.accumulate = c.accumulate;
  parallel_for(c.rows, kernels_.group_rows, static_cast<double>(c.columns) * c.inner,
               [&](int first, int last, int /*member*/) {
                 compute::ProductJob row_range = job;
                 row_range.values = data(c.a) + first * job.row_step;
                 row_range.out = data(c.out) + first * job.out_step;
                 row_range.rows = last - first;
                 kernels_.product(row_range);
               });
}

void CpuExecutor::cleanup() {
  for (Scratch& scratch : thread_scratch_) scratch = Scratch{};
  shared_scratch_ = Scratch{};
  weights_scratch_ = Scratch{};
}

}  // namespace weir::nn::train

#include "compute/kernels/training/training.hpp"

#include "compute/kernels/kernels.hpp"

namespace weir::compute {

#if defined(__x86_64__)
const TrainingKernels& avx512_training_kernels();
const TrainingKernels& avx2_training_kernels();
#elif defined(__aarch64__)
const TrainingKernels& neon_training_kernels();
#endif

const TrainingKernels* find_training_kernels(std::string_view name) {
  if (find_kernels(name) == nullptr) return nullptr;
#if defined(__x86_64__)
  for (const TrainingKernels* kernels : {&avx512_training_kernels(), &avx2_training_kernels()}) {
    if (kernels->name == name) return kernels;
  }
#elif defined(__aarch64__)
  if (neon_training_kernels().name == name) return &neon_training_kernels();
#endif
  return name == plain_training_kernels().name ? &plain_training_kernels() : nullptr;
}

const TrainingKernels& best_training_kernels() {
  const TrainingKernels* best = find_training_kernels(available_kernels().front()->name);
  return best != nullptr ? *best : plain_training_kernels();
}

}  // namespace weir::compute

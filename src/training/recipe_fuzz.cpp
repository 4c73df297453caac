// Parses the fuzzer's bytes as a recipe, and checks that the sizes in an accepted recipe fit together.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "training/recipe.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto recipe = weir::training::parse_recipe({reinterpret_cast<const char*>(data), size}, "recipe.toml");
  if (!recipe) return 0;
  // The small picture has whole pixels, and a patch fits into it.
  const auto& d = recipe->data;
  if (d.patch_px * recipe->structure.scale > d.side_px || d.side_px % recipe->structure.scale != 0) __builtin_trap();
  return 0;
}

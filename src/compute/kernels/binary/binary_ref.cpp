#include "compute/kernels/binary/binary_ref.hpp"

namespace weir::compute {

namespace {

float combine(Binary kind, float a, float b) {
  switch (kind) {
    case Binary::add:
      return a + b;
    case Binary::sub:
      return a - b;
    case Binary::mul:
      return a * b;
    case Binary::div:
      return a / b;
    case Binary::rsub:
      return b - a;
  }
  assert(false);
  return 0;
}

}  // namespace

Planes binary_ref(Binary kind, const Planes& a, const Planes& b) {
  const bool per_channel = b.height == 1 && b.width == 1;
  assert(a.channels == b.channels && (per_channel || a.same_shape(b)));
  Planes out = a;
  for (int c = 0; c < a.channels; ++c) {
    const auto out_plane = out.plane(c);
    const auto b_plane = b.plane(c);
    for (std::size_t i = 0; i < out_plane.size(); ++i)
      out_plane[i] = combine(kind, out_plane[i], b_plane[per_channel ? 0 : i]);
  }
  return out;
}

Planes binary_ref(Binary kind, const Planes& a, float b) {
  Planes out = a;
  for (float& value : out.values) value = combine(kind, value, b);
  return out;
}

}  // namespace weir::compute

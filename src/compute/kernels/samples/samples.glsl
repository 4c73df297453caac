// Converts the result of a network to interleaved 8-bit samples, three per pixel: floor(v * 255 + 0.5), clamped to
// 0..255 before the conversion to an integer (negative values must not become white). It also writes two flags for
// every 256 pixels of a row, which the host cannot compute from the samples: whether a value is NaN or infinite, and
// whether a pixel differs from the pixel on its left. If BASE_SCALE is not 0, the picture `base`, enlarged by this
// factor with nearest neighbour, is added first. The shader that includes this file defines pixel().
//
// words  (the binding of `target`) [h][ceil(w / 4)][3 words with 4 pixels], then [h][ceil(w / 256)] words with flags:
//        bit 0 NaN or infinite, bit 1 differs. nn/vulkan/samples_layout.hpp describes the same layout for the host.
// base   (the binding of `residual`) [h, w, 4] float32
// A workgroup converts 256 pixels of a row, an invocation four.
layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint FACTOR = 1;
layout(constant_id = 1) const uint IN_VECTORS = 1;
layout(constant_id = 2) const uint BASE_SCALE = 0;

layout(set = 0, binding = 1) buffer Words { uint v[]; } words;

layout(push_constant) uniform Push {
  uint extent;  // width and height of the result
  uint offset;  // source pixel for the first pixel
  uint width;   // width of the source
  uint phase;   // position of the first pixel in its block of FACTOR x FACTOR
  uint base_offset;  // pixel of `base` for the first pixel
  uint base_width;   // width of `base`
  uint base_phase;   // position of the first pixel in its block of BASE_SCALE x BASE_SCALE pixels
} push;

shared uint group_bits;

// Returns the three values of a pixel of the result, before `base` is added.
vec3 pixel(uvec2 at);

vec3 pixel_on_base(uvec2 at) {
  const vec3 value = pixel(at);
  if (BASE_SCALE == 0) return value;
  const uvec2 base = pair(push.base_offset) + (pair(push.base_phase) + at) / BASE_SCALE;
  return value + residual.v[base.y * push.base_width + base.x].rgb;
}

// Checks the bits, because compilers may assume that no value is NaN.
bool is_not_finite(vec3 v) { return any(equal(floatBitsToUint(v) & uvec3(0x7F800000u), uvec3(0x7F800000u))); }

uvec3 samples(vec3 v) {
  precise const vec3 scaled = v * 255.0 + 0.5;
  return uvec3(clamp(scaled, vec3(0.0), vec3(255.0)));
}

void make_samples() {
  const uvec2 extent = pair(push.extent);
  const uint first = gl_GlobalInvocationID.x * 4;
  const uint y = gl_WorkGroupID.y;
  const uint quads = (extent.x + 3) / 4;
  if (gl_LocalInvocationID.x == 0) group_bits = 0;
  barrier();
  if (first < extent.x) {
    uint bytes[12];
    for (uint i = 0; i < 12; ++i) bytes[i] = 0;
    uint bits = 0;
    vec3 left = pixel_on_base(uvec2(first - (first > 0 ? 1 : 0), y));
    for (uint x = 0; x < 4; ++x) {
      if (first + x >= extent.x) break;
      const vec3 v = pixel_on_base(uvec2(first + x, y));
      if (is_not_finite(v)) bits |= 1u;
      if (any(notEqual(v, left))) bits |= 2u;
      left = v;
      const uvec3 made = samples(v);
      for (uint c = 0; c < 3; ++c) bytes[x * 3 + c] = made[c];
    }
    const uint to = (y * quads + first / 4) * 3;
    for (uint w = 0; w < 3; ++w)
      words.v[to + w] = bytes[w * 4] | bytes[w * 4 + 1] << 8 | bytes[w * 4 + 2] << 16 | bytes[w * 4 + 3] << 24;
    if (bits != 0) atomicOr(group_bits, bits);
  }
  barrier();
  if (gl_LocalInvocationID.x == 0) words.v[extent.y * quads * 3 + y * gl_NumWorkGroups.x + gl_WorkGroupID.x] = group_bits;
}

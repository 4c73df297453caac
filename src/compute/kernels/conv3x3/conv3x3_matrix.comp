// 3x3 convolution of stride 1 with cooperative matrices, which are computed by the matrix units of a GPU
// (VK_NV_cooperative_matrix): float16 features and weights, float32 sums. Buffers, constants and push constants are
// those of conv/conv.comp. The number of channels of every source and of the target is a multiple of 16. Needs
// subgroups of 32 invocations.
//
// A workgroup of four subgroups computes 16 x 8 pixels of 16 * TILES channels: each subgroup two rows, as 2 x TILES
// matrices. For every 16 channels of the sources, the pixels with a border of one pixel and the nine matrices of
// weights are copied to shared memory.
#version 450
#extension GL_NV_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 128, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint KERNEL = 3;  // always 3
layout(constant_id = 1) const uint STRIDE = 1;  // always 1
layout(constant_id = 2) const uint PARTS = 1;
layout(constant_id = 3) const uint OUT_VECTORS = 16;
layout(constant_id = 4) const bool GATED = false;  // not supported
layout(constant_id = 5) const bool HAS_RESIDUAL = false;
layout(constant_id = 6) const bool GATED_RESIDUAL = false;
layout(constant_id = 7) const uint IN_VECTORS = 16;
layout(constant_id = 8) const uint V0 = 16;
layout(constant_id = 9) const uint V1 = 0;
layout(constant_id = 10) const uint V2 = 0;
layout(constant_id = 11) const uint V3 = 0;
layout(constant_id = 12) const uint V4 = 0;
layout(constant_id = 13) const uint V5 = 0;
layout(constant_id = 14) const uint V6 = 0;
layout(constant_id = 15) const uint V7 = 0;
layout(constant_id = 16) const uint TILES = 4;  // tiles of 16 output channels

layout(set = 0, binding = 0) readonly buffer Sources { uvec2 v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { f16vec4 v[]; } target;
layout(set = 0, binding = 2) readonly buffer Weights { uvec2 v[]; } weights;
layout(set = 0, binding = 3) readonly buffer Parameters { vec4 v[]; } parameters;
layout(set = 0, binding = 4) readonly buffer Residual { f16vec4 v[]; } residual;
layout(set = 0, binding = 6) readonly buffer SecondGate { vec4 v[]; } second_gate;

layout(push_constant) uniform Push {
  uint part_offset[8];
  uint part_extent[8];
  uint target_extent;
  uint rows;
  uint residual_offset;
  uint residual_width;
  float alpha, beta;
} push;

#include "epilogue.glsl"

const uint COLUMNS = 18;   // columns and rows of pixels in shared memory: 16 x 8 with the border
const uint ROWS = 10;
const uint PITCH = 6;      // uvec2 from pixel to pixel: 4 for 16 channels, and 2 unused ones against bank conflicts
const uint WIDTH = 4 * TILES + 2;  // uvec2 from row to row of a matrix of weights

shared uvec2 pixels[ROWS * COLUMNS * PITCH];
shared uvec2 kernels[9 * 16 * WIDTH];
shared float sums[4 * 256];

ivec2 signed_pair(uint word) { return ivec2(bitfieldExtract(int(word), 0, 16), bitfieldExtract(int(word), 16, 16)); }
uvec2 pair(uint word) { return uvec2(word & 0xFFFFu, word >> 16); }

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 rows = pair(push.rows);
  const uint x0 = gl_WorkGroupID.x * 16;
  const uint y0 = rows.x + gl_WorkGroupID.y * 8;
  const uint last_row = rows.x + rows.y;
  const uint vector0 = gl_WorkGroupID.z * 4 * TILES;
  const uint self = gl_LocalInvocationIndex;
  const uint subgroup = gl_SubgroupID;

  fcoopmatNV<32, gl_ScopeSubgroup, 16, 16> total[2][TILES];
  [[unroll]] for (uint r = 0; r < 2; ++r) {
    [[unroll]] for (uint t = 0; t < TILES; ++t) total[r][t] = fcoopmatNV<32, gl_ScopeSubgroup, 16, 16>(0.0);
  }

  const uint VECTORS[8] = uint[8](V0, V1, V2, V3, V4, V5, V6, V7);
  uint first_vector = 0;
  for (uint part = 0; part < PARTS; ++part) {
    const ivec2 offset = signed_pair(push.part_offset[part]) + ivec2(int(x0), int(y0));
    const ivec2 size = ivec2(pair(push.part_extent[part]));
    for (uint v0 = 0; v0 < VECTORS[part]; v0 += 4) {
      barrier();
      for (uint i = self; i < ROWS * COLUMNS * 4; i += 128) {
        const uint p = i / 4;
        const uint v = i % 4;
        const ivec2 at = offset + ivec2(int(p % COLUMNS), int(p / COLUMNS));
        const bool inside = all(greaterThanEqual(at, ivec2(0))) && all(lessThan(at, size));
        pixels[p * PITCH + v] =
            inside ? sources[part].v[(uint(at.y) * uint(size.x) + uint(at.x)) * VECTORS[part] + v0 + v] : uvec2(0);
      }
      for (uint i = self; i < 9 * 16 * 4 * TILES; i += 128) {
        const uint channel = i % 16;  // channels of the sources, adjacent in memory
        const uint tap = i / 16 % 9;
        const uint vector = i / 144;
        kernels[(tap * 16 + channel) * WIDTH + vector] =
            weights.v[(((vector0 + vector) * 9 + tap) * IN_VECTORS + first_vector + v0) * 4 + channel];
      }
      barrier();
      for (uint tap = 0; tap < 9; ++tap) {
        fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> a[2];
        [[unroll]] for (uint r = 0; r < 2; ++r) {
          const uint corner = (subgroup * 2 + r + tap / 3) * COLUMNS + tap % 3;
          coopMatLoadNV(a[r], pixels, corner * PITCH, PITCH, false);
        }
        [[unroll]] for (uint t = 0; t < TILES; ++t) {
          fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> b;
          coopMatLoadNV(b, kernels, tap * 16 * WIDTH + t * 4, WIDTH, false);
          [[unroll]] for (uint r = 0; r < 2; ++r) total[r][t] = coopMatMulAddNV(a[r], b, total[r][t]);
        }
      }
    }
    first_vector += VECTORS[part];
  }

  [[unroll]] for (uint r = 0; r < 2; ++r) {
    [[unroll]] for (uint t = 0; t < TILES; ++t) {
      barrier();
      coopMatStoreNV(total[r][t], sums, subgroup * 256, 16, false);
      barrier();
      const uint y = y0 + subgroup * 2 + r;
      for (uint i = gl_SubgroupInvocationID; i < 64; i += gl_SubgroupSize) {
        const uint x = x0 + i / 4;
        const uint vector = vector0 + t * 4 + i % 4;
        if (x >= extent.x || y >= last_row) continue;
        const uint from = subgroup * 256 + i * 4;
        const vec4 sum = vec4(sums[from], sums[from + 1], sums[from + 2], sums[from + 3]);
        const uvec2 other = uvec2(signed_pair(push.residual_offset) + ivec2(int(x), int(y)));
        const vec4 value = finished(sum, vector, other.y * push.residual_width + other.x, push.alpha, push.beta);
        target.v[(y * extent.x + x) * OUT_VECTORS + vector] = f16vec4(value);
      }
    }
  }
}

// The interface of the kernels (compute shaders): the binding numbers of their buffers (compute::vulkan::BindingSlot)
// and the element types. All kernels use these binding numbers; some declare their buffers themselves, with other
// types.
//
// A tensor is stored row by row, pixel by pixel; the channels of a pixel are adjacent, in vectors of four. The last
// vector is filled up with zero channels. [h, w, c] in the kernels' comments is such a tensor. The first line of a
// kernel lists its variants, each of which the build compiles: two letters, for the type that it reads and the type
// that it writes (f: float32, h: float16). Sums are always float32.
#extension GL_EXT_control_flow_attributes : require
#if defined(SOURCE_h) || defined(TARGET_h)
#extension GL_EXT_shader_16bit_storage : require
#define WEIGHT f16vec4
#else
#define WEIGHT vec4
#endif
#ifdef SOURCE_h
#define SOURCE f16vec4
#else
#define SOURCE vec4
#endif
#ifdef TARGET_h
#define TARGET f16vec4
#else
#define TARGET vec4
#endif

layout(set = 0, binding = 0) readonly buffer Sources { SOURCE v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { TARGET v[]; } target;
layout(set = 0, binding = 2) readonly buffer Weights { WEIGHT v[]; } weights;
layout(set = 0, binding = 3) readonly buffer Parameters { vec4 v[]; } parameters;
layout(set = 0, binding = 4) readonly buffer Residual { TARGET v[]; } residual;
layout(set = 0, binding = 5) readonly buffer Gate { vec4 v[]; } gate;
layout(set = 0, binding = 6) readonly buffer SecondGate { vec4 v[]; } second_gate;

// These functions unpack a pair of 16-bit numbers from one word: x (or a width) from the low half, y (or a height) from
// the high half. nn/vulkan/recording.hpp packs such words: offsets, which can be negative, and extents (sizes).
ivec2 signed_pair(uint word) { return ivec2(bitfieldExtract(int(word), 0, 16), bitfieldExtract(int(word), 16, 16)); }
uvec2 pair(uint word) { return uvec2(word & 0xFFFFu, word >> 16); }

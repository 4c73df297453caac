// What all kernels share: the places of their buffers (compute::vulkan::Place) and the types behind them.
//
// Features lie pixel by pixel, row by row, the channels of a pixel side by side in vectors of four; the last vector is
// filled up with channels that are zero. The host compiles a kernel once for each variant that its first lines name: two
// letters, what it reads and what it writes (f: float32, h: float16). Sums are float32 always.
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

// Two numbers of 16 bits in one word: x (signed, or a width) below y (signed, or a height).
ivec2 signed_pair(uint word) { return ivec2(bitfieldExtract(int(word), 0, 16), bitfieldExtract(int(word), 16, 16)); }
uvec2 pair(uint word) { return uvec2(word & 0xFFFFu, word >> 16); }

// target[i] = OPERATION of sources[0][i] (and sources[1][i]): compute::vulkan::Elementwise.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint OPERATION = 0;
layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint count;
} push;

float made(uint i) {
  const float x = sources[0].v[i];
  switch (OPERATION) {
    case 0: return x + sources[1].v[i];
    case 1: return x * sources[1].v[i];
    case 2: return max(x, 0.0);
    case 3: return 1.0 / (1.0 + exp(-x));
    default: return tanh(clamp(x, -20.0, 20.0));  // beyond, some drivers divide infinity by infinity
  }
}

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < push.count; i += gl_NumWorkGroups.x * 64) target.v[i] = made(i);
}

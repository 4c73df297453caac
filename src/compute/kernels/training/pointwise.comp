// Element-wise commands of nn::train: target[i] = result(i), or target[i] += result(i) if `accumulate` is not 0. An
// operand with one value per channel is indexed by the channel. nn/train/command.hpp describes the commands;
// elementwise.hpp defines their results.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint OPERATION = 0;  // see result()
layout(constant_id = 1) const uint KIND = 0;  // an ActivationKind or a LossKind

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint count, channels, accumulate;
  float alpha, beta;  // factors; alpha is also the slope of leaky ReLU, and epsilon of the loss
} push;

float activation(float x) {
  switch (KIND) {
    case 0: return x > 0.0 ? x : 0.0;
    case 1: return x < 0.0 ? x * push.alpha : x;
    case 2: return 1.0 / (1.0 + exp(-x));
    default: return tanh(clamp(x, -20.0, 20.0));  // for larger values some drivers divide infinity by infinity
  }
}

float activation_back(float x, float y, float gradient) {
  switch (KIND) {
    case 0: return x > 0.0 ? gradient : 0.0;
    case 1: return x < 0.0 ? gradient * push.alpha : gradient;
    case 2: return gradient * y * (1.0 - y);
    default: return gradient * (1.0 - y * y);
  }
}

float loss_back(float d, float scale) {
  switch (KIND) {
    case 0: return scale;
    case 1: return 2.0 * scale * d;
    case 2: return d > 0.0 ? scale : (d < 0.0 ? -scale : 0.0);
    default: return scale * d / sqrt(d * d + push.alpha * push.alpha);
  }
}

float result(uint i) {
  const float x = sources[0].v[i];
  switch (OPERATION) {
    case 0: return push.alpha * x;
    case 1: return push.alpha * x + push.beta * sources[1].v[i];
    case 2: return push.alpha * x * sources[1].v[i];
    case 3: return activation(x);
    case 4: return activation_back(x, sources[1].v[i], sources[2].v[i]);
    case 5: return x + sources[1].v[i % push.channels];
    case 6: return x < 0.0 ? x * sources[1].v[i % push.channels] : x;
    case 7: return x < 0.0 ? sources[2].v[i] * sources[1].v[i % push.channels] : sources[2].v[i];
    default: return loss_back(x - sources[1].v[i], sources[2].v[0] / float(push.count));
  }
}

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < push.count; i += gl_NumWorkGroups.x * 64) {
    const float value = result(i);
    target.v[i] = push.accumulate != 0 ? target.v[i] + value : value;
  }
}

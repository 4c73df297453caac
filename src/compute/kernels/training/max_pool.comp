// Max pooling of images [image][h][w][channels]: the largest value of each window of kernel x kernel pixels, per
// channel. With BACK, the gradient of the input: for each input value the sum of the output gradients of all windows in
// which it is the largest value (the first of several equal ones), added in the order of the windows.
// sources[0] is the input, sources[1] the gradient of the output; target is the output, or the gradient of the input.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const bool BACK = false;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint count;       // number of target values
  uint accumulate;  // with BACK: not 0 adds to the target
  uint in_h, in_w, out_h, out_w, channels, kernel, stride;
} push;

// Returns the index of the largest value in the window of output (y, x) of an image.
uint largest(uint image, uint y, uint x, uint channel) {
  uint best = 0;
  float most = 0.0;
  for (uint dy = 0; dy < push.kernel; ++dy) {
    for (uint dx = 0; dx < push.kernel; ++dx) {
      const uint line = image * push.in_h + y * push.stride + dy;
      const uint at = (line * push.in_w + x * push.stride + dx) * push.channels + channel;
      const float value = sources[0].v[at];
      if (dy + dx == 0 || value > most) {
        most = value;
        best = at;
      }
    }
  }
  return best;
}

// These functions return the first window that contains a row (or column), and the window after the last.
uint first_window(uint at) { return at < push.kernel ? 0 : (at - push.kernel) / push.stride + 1; }
uint end_window(uint at, uint windows) { return min(at / push.stride + 1, windows); }

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < push.count; i += gl_NumWorkGroups.x * 64) {
    const uint channel = i % push.channels, pixel = i / push.channels;
    const uint w = BACK ? push.in_w : push.out_w, h = BACK ? push.in_h : push.out_h;
    const uint x = pixel % w, y = pixel / w % h, image = pixel / w / h;
    if (!BACK) {
      target.v[i] = sources[0].v[largest(image, y, x, channel)];
      continue;
    }
    float sum = push.accumulate != 0 ? target.v[i] : 0.0;
    for (uint oy = first_window(y); oy < end_window(y, push.out_h); ++oy) {
      for (uint ox = first_window(x); ox < end_window(x, push.out_w); ++ox) {
        if (largest(image, oy, ox, channel) == i)
          sum += sources[1].v[((image * push.out_h + oy) * push.out_w + ox) * push.channels + channel];
      }
    }
    target.v[i] = sum;
  }
}

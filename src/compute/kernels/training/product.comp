// c (+)= bias + a * b in float32 ((+)= adds if `accumulate` is not 0): a matrix product, and the three products of a
// convolution: the result (convolve) and the gradients of its input (back) and weights. A patch is the input pixels of
// all taps of one output pixel, one row of a matrix. This matrix is not stored: each value is read from the picture
// when it is needed; it is zero outside of the picture. `from` is this picture: the input, or for KIND 2 the gradient
// of the result. The grid has grid_h x grid_w pixels per image: those of the result, or for KIND 2 those of the input.
//
// KIND          c                              a                                   b
// 0 product     [m, n]                         [m, k], or [k, m] if TRANSPOSED_A   [k, n], or [n, k] if TRANSPOSED_B
// 1 convolve    [grid pixels, n]               patches of `from` [m, k]            weights [k, n]
// 2 back        [grid pixels, n]               patches of the gradient [m, k]      weights, each tap [n, from_c]^T
// 3 weights     [taps * from_c, n]             patches of `from`, transposed       gradient [grid pixels, n]
//
// sources[0] is a or `from`, sources[1] is b, sources[2] is the bias [n]. A workgroup computes a tile of c, an
// invocation 8 x 4 values of it. The invocations of a workgroup share DEPTH columns of a and rows of b at a time.
// Workgroups along y divide k: workgroup y sums over k_each values of k and writes to target + y * m * n; another
// kernel adds these sums. Each value is summed in the order of k.
// Source: tiles in shared memory, Volkov and Demmel, SC 2008; the product without stored patches, Chetlur et al.,
// "cuDNN: efficient primitives for deep learning", 2014.
#version 450
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint KIND = 0;
layout(constant_id = 1) const uint ACROSS = 8;  // invocations in a row of the tile: 4, 8 or 16
layout(constant_id = 2) const bool TRANSPOSED_A = false;
layout(constant_id = 3) const bool TRANSPOSED_B = false;
layout(constant_id = 4) const bool SPREAD = false;  // KIND 2 with a stride: zeros between the pixels of the gradient

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint m, n, k, k_each;
  uint first_tile, end_tile, tiles_across;
  uint has_bias, accumulate;
  uint grid_h, grid_w, from_h, from_w, from_c, kernel, stride;
  int padding;
} push;

const uint DEPTH = 16;
const uint DOWN = 64 / ACROSS;    // invocations in a column of the tile
const uint ROWS = 8 * DOWN;       // rows of a tile: 128, 64 or 32
const uint COLUMNS = 4 * ACROSS;  // columns of a tile: 16, 32 or 64
const int NOWHERE = -(1 << 24);   // a position so far outside that all taps are outside of the picture

shared float a[DEPTH][129];
shared float b[DEPTH][65];
// For each row of the tile: the position of its patch, and in patch_at the index of the image's first pixel (KIND 1 and
// 2) or the channel (KIND 3).
shared int patch_y[128], patch_x[128];
shared uint patch_at[128];

// Returns a value of the picture whose first pixel has the index `first`; zero outside of the picture.
float gathered(int y, int x, uint first, uint channel) {
  if (SPREAD) {
    const int stride = int(push.stride);
    if (y < 0 || x < 0 || y % stride != 0 || x % stride != 0) return 0.0;
    y /= stride;
    x /= stride;
  }
  if (y < 0 || y >= int(push.from_h) || x < 0 || x >= int(push.from_w)) return 0.0;
  return sources[0].v[(first + uint(y) * push.from_w + uint(x)) * push.from_c + channel];
}

// Fills patch_y, patch_x and patch_at for the tile whose first row is `corner`. `self` is the index of the invocation.
void describe_rows(uint corner, uint self) {
  for (uint i = self; i < ROWS; i += 64) {
    const uint row = corner + i;
    int y = NOWHERE, x = NOWHERE;
    uint at = 0;
    if (row < push.m && KIND == 3) {
      const uint tap = row / push.from_c;
      y = int(tap / push.kernel) - push.padding;
      x = int(tap % push.kernel) - push.padding;
      at = row % push.from_c;
    } else if (row < push.m) {
      const uint line = row / push.grid_w;
      const int scale = KIND == 1 ? int(push.stride) : 1;
      const int offset = KIND == 1 ? -push.padding : push.padding;
      y = int(line % push.grid_h) * scale + offset;
      x = int(row % push.grid_w) * scale + offset;
      at = line / push.grid_h * push.from_h * push.from_w;
    }
    patch_y[i] = y;
    patch_x[i] = x;
    patch_at[i] = at;
  }
}

// These functions load columns first..end-1 of a, and rows first..end-1 of b, for the tile that begins at `corner`.
void load_a(uint corner, uint first, uint end, uint self) {
  if (KIND == 1 || KIND == 2) {
    const uint k = first + self % 16;
    const uint tap = k / push.from_c, channel = k % push.from_c;
    const int direction = KIND == 1 ? 1 : -1;
    const int dy = direction * int(tap / push.kernel), dx = direction * int(tap % push.kernel);
    for (uint i = self / 16; i < ROWS; i += 4) {
      a[self % 16][i] = k < end ? gathered(patch_y[i] + dy, patch_x[i] + dx, patch_at[i], channel) : 0.0;
    }
  } else if (KIND == 3) {
    for (uint piece = self / 32; piece < DEPTH; piece += 2) {
      const uint pixel = first + piece, line = pixel / push.grid_w;
      const int y = int(line % push.grid_h * push.stride), x = int(pixel % push.grid_w * push.stride);
      const uint image = line / push.grid_h * push.from_h * push.from_w;
      for (uint i = self % 32; i < ROWS; i += 32) {
        a[piece][i] = pixel < end ? gathered(y + patch_y[i], x + patch_x[i], image, patch_at[i]) : 0.0;
      }
    }
  } else if (TRANSPOSED_A) {
    for (uint piece = self / 32; piece < DEPTH; piece += 2) {
      const uint k = first + piece;
      for (uint i = self % 32; i < ROWS; i += 32) {
        a[piece][i] = k < end && corner + i < push.m ? sources[0].v[k * push.m + corner + i] : 0.0;
      }
    }
  } else {
    const uint k = first + self % 16;
    for (uint i = self / 16; i < ROWS; i += 4) {
      a[self % 16][i] = k < end && corner + i < push.m ? sources[0].v[(corner + i) * push.k + k] : 0.0;
    }
  }
}

void load_b(uint corner, uint first, uint end, uint self) {
  if (KIND == 2 || TRANSPOSED_B) {
    const uint k = first + self % 16;
    const uint tap = KIND == 2 ? k / push.from_c : 0;
    const uint length = KIND == 2 ? push.from_c : push.k;
    for (uint i = self / 16; i < COLUMNS; i += 4) {
      const uint column = corner + i;
      b[self % 16][i] =
          k < end && column < push.n ? sources[1].v[(tap * push.n + column) * length + k - tap * length] : 0.0;
    }
  } else {
    for (uint piece = self / 16; piece < DEPTH; piece += 4) {
      const uint k = first + piece;
      for (uint i = self % 16; i < COLUMNS; i += 16) {
        b[piece][i] = k < end && corner + i < push.n ? sources[1].v[k * push.n + corner + i] : 0.0;
      }
    }
  }
}

void main() {
  const uint self = gl_LocalInvocationID.x, across = self % ACROSS, down = self / ACROSS;
  const uint begin = gl_WorkGroupID.y * push.k_each, end = min(push.k, begin + push.k_each);
  for (uint tile = push.first_tile + gl_WorkGroupID.x; tile < push.end_tile; tile += gl_NumWorkGroups.x) {
    const uint row = tile / push.tiles_across * ROWS, column = tile % push.tiles_across * COLUMNS;
    if (KIND != 0) describe_rows(row, self);
    float sums[8][4];
    [[unroll]] for (uint r = 0; r < 8; ++r) {
      [[unroll]] for (uint c = 0; c < 4; ++c) sums[r][c] = 0.0;
    }
    for (uint first = begin; first < end; first += DEPTH) {
      barrier();
      load_a(row, first, end, self);
      load_b(column, first, end, self);
      barrier();
      for (uint k = 0; k < DEPTH; ++k) {
        float right[4];
        [[unroll]] for (uint c = 0; c < 4; ++c) right[c] = b[k][across + ACROSS * c];
        [[unroll]] for (uint r = 0; r < 8; ++r) {
          const float left = a[k][down + DOWN * r];
          [[unroll]] for (uint c = 0; c < 4; ++c) sums[r][c] += left * right[c];
        }
      }
    }
    const uint part = gl_WorkGroupID.y * push.m * push.n;
    [[unroll]] for (uint r = 0; r < 8; ++r) {
      [[unroll]] for (uint c = 0; c < 4; ++c) {
        const uint i = row + down + DOWN * r, j = column + across + ACROSS * c;
        if (i < push.m && j < push.n) {
          float sum = sums[r][c];
          if (push.has_bias != 0) sum += sources[2].v[j];
          const uint at = part + i * push.n + j;
          target.v[at] = push.accumulate != 0 ? target.v[at] + sum : sum;
        }
      }
    }
    barrier();
  }
}

#include "synth/texture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weir::synth {

namespace {

/// Returns a smooth ramp from 0 to 1 (smoothstep).
float smooth(float t) { return t * t * (3 - 2 * t); }

/// Adds noise of one octave to `values`, which is [side][side]: random values at `cells` x `cells` points, interpolated
/// smoothly. The last points are interpolated with the first ones, so that the noise repeats.
void add_octave(std::vector<float>& values, int side, int cells, float amplitude, Random& random) {
  std::vector<float> points(static_cast<std::size_t>(cells) * static_cast<std::size_t>(cells));
  for (float& point : points) point = random.uniform(-1, 1);
  const auto point = [&](int x, int y) {
    return points[static_cast<std::size_t>(y % cells) * static_cast<std::size_t>(cells) +
                  static_cast<std::size_t>(x % cells)];
  };
  const float step = static_cast<float>(cells) / static_cast<float>(side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const float u = static_cast<float>(x) * step;
      const float v = static_cast<float>(y) * step;
      const int i = static_cast<int>(u);
      const int j = static_cast<int>(v);
      const float fx = smooth(u - static_cast<float>(i));
      const float fy = smooth(v - static_cast<float>(j));
      const float top = point(i, j) + (point(i + 1, j) - point(i, j)) * fx;
      const float bottom = point(i, j + 1) + (point(i + 1, j + 1) - point(i, j + 1)) * fx;
      values[static_cast<std::size_t>(y) * static_cast<std::size_t>(side) + static_cast<std::size_t>(x)] +=
          amplitude * (top + (bottom - top) * fy);
    }
  }
}

/// Returns a wave from -1 to 1 with the period 1 of `phase`. Its edges are about two pixels wide if `pitch`, the period
/// in pixels, is 6 or more; below that it is a sine.
float square_wave(float phase, float pitch) {
  const float wave = std::sin(2 * std::numbers::pi_v<float> * phase);
  const float steepness = std::max(1.0F, pitch / 6.0F);
  return std::clamp(wave * steepness, -1.0F, 1.0F);
}

}  // namespace

Noise::Noise(Random& random, float decay) : values_(static_cast<std::size_t>(kSide) * kSide, 0.0F) {
  for (int cells = 2; cells <= kSide; cells *= 2)
    add_octave(values_, kSide, cells, std::pow(static_cast<float>(cells), -decay), random);
  double sum = 0;
  double squares = 0;
  for (const float value : values_) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const double mean = sum / static_cast<double>(values_.size());
  const double deviation = std::sqrt(squares / static_cast<double>(values_.size()) - mean * mean);
  for (float& value : values_) value = static_cast<float>((value - mean) / deviation);
}

float Noise::at(float x, float y) const {
  const float fx = std::floor(x);
  const float fy = std::floor(y);
  const auto value = [&](int i, int j) {
    // The noise repeats. kSide is a power of two, so the bitwise and is the remainder, also of negative positions.
    const auto row = static_cast<std::size_t>(j & (kSide - 1));
    return values_[row * kSide + static_cast<std::size_t>(i & (kSide - 1))];
  };
  const int i = static_cast<int>(fx);
  const int j = static_cast<int>(fy);
  const float u = x - fx;
  const float v = y - fy;
  const float top = value(i, j) + (value(i + 1, j) - value(i, j)) * u;
  const float bottom = value(i, j + 1) + (value(i + 1, j + 1) - value(i, j + 1)) * u;
  return top + (bottom - top) * v;
}

Colour Texture::colour_at(float x, float y) const {
  const float along = angle_cos * x + angle_sin * y + phase;
  const float across = angle_cos * y - angle_sin * x + phase;
  Colour result = colour;
  switch (kind) {
    case Kind::flat:
      break;
    case Kind::gradient:
      result = mix(colour, second_colour, std::clamp(along / pitch, 0.0F, 1.0F));
      break;
    case Kind::waves:
      result = mix(colour, second_colour, 0.5F + 0.5F * std::sin(2 * std::numbers::pi_v<float> * along / pitch));
      break;
    case Kind::stripes:
      result = mix(colour, second_colour, 0.5F + 0.5F * square_wave(along / pitch, pitch));
      break;
    case Kind::checks:
      result = mix(colour, second_colour,
                   0.5F + 0.5F * square_wave(along / pitch, pitch) * square_wave(across / pitch, pitch));
      break;
    case Kind::noise:
      result = mix(colour, second_colour,
                   std::clamp(0.5F + 0.35F * noise->at(along / pitch * 8, across / pitch * 8), 0.0F, 1.0F));
      break;
  }
  if (grain == 0) return result;
  const float added = grain * noise->at(along / grain_scale, across / grain_scale);
  return {result[0] + added, result[1] + added, result[2] + added};
}

Colour Palette::random_colour(Random& random) const {
  // Offsets along the three axes: lightness (l), from blue to yellow (b), from green to red (r).
  const float l = lightness * random.normal();
  const float b = blue_yellow * random.normal();
  const float r = red_green * random.normal();
  const Colour c{base[0] + l + b + r, base[1] + l + b - r, base[2] + l - 2 * b};
  return {std::clamp(c[0], 0.0F, 1.0F), std::clamp(c[1], 0.0F, 1.0F), std::clamp(c[2], 0.0F, 1.0F)};
}

Palette make_palette(Random& random) {
  Palette palette;
  // The mean colour: its lightness (l), and its offsets from blue to yellow (b) and from green to red (r).
  const float l = random.uniform(0.25F, 0.7F);
  const float b = 0.035F * random.normal();
  const float r = 0.03F * random.normal();
  palette.base = {l + b + r, l + b - r, l - 2 * b};
  palette.lightness = random.uniform(0.12F, 0.3F);
  palette.blue_yellow = random.power_law(0.01F, 0.1F, 1.5F);
  palette.red_green = random.power_law(0.01F, 0.08F, 1.5F);
  return palette;
}

Texture make_texture(Random& random, const Palette& palette, const Noise& noise, float size) {
  Texture texture;
  texture.noise = &noise;
  texture.colour = palette.random_colour(random);
  // In most textures the second colour is similar to the first.
  const float mix_part = random.chance(0.3F) ? 1.0F : random.uniform(0.1F, 0.6F);
  texture.second_colour = mix(texture.colour, palette.random_colour(random), mix_part);
  const float angle = random.random_angle();
  texture.angle_cos = std::cos(angle);
  texture.angle_sin = std::sin(angle);
  texture.phase = random.uniform(0, 1000);
  const float kind_choice = random.uniform();
  if (kind_choice < 0.3F) {
    texture.kind = Texture::Kind::flat;
  } else if (kind_choice < 0.5F) {
    texture.kind = Texture::Kind::gradient;
    texture.pitch = std::max(4.0F, 2 * size);
    texture.phase = size;  // the gradient reaches from -size to size
  } else if (kind_choice < 0.58F) {
    texture.kind = Texture::Kind::waves;
    texture.pitch = random.power_law(2.5F, 40, 1.5F);
  } else if (kind_choice < 0.68F) {
    texture.kind = Texture::Kind::stripes;
    texture.pitch = random.power_law(3, 40, 1.5F);
  } else if (kind_choice < 0.74F) {
    texture.kind = Texture::Kind::checks;
    texture.pitch = random.power_law(4, 40, 1.5F);
  } else {
    texture.kind = Texture::Kind::noise;
    texture.pitch = random.power_law(6, 200, 1.3F);
  }
  if (random.chance(0.6F)) {
    texture.grain = 0.06F * random.uniform() * random.uniform();
    texture.grain_scale = random.uniform(0.7F, 3);
  }
  return texture;
}

}  // namespace weir::synth

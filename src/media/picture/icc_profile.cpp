#include "media/picture/icc_profile.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "base/round_up.hpp"

namespace weir::media {
namespace {

using Chromaticities = std::array<double, 8>;  // x, y of white, red, green, blue
using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

// Source of the code numbers for primaries and transfer functions: ITU-T H.273 (07/2021), tables 2 and 3.
struct Primaries {
  int number;
  std::string_view name;
  Chromaticities xy;
};
constexpr Chromaticities kSrgb{0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
constexpr std::array kPrimaries{
    Primaries{1, "BT.709", kSrgb},
    Primaries{4, "BT.470 M", {0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08}},
    Primaries{5, "BT.470 B", {0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06}},
    Primaries{6, "SMPTE 170M", {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
    Primaries{7, "SMPTE 240M", {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
    Primaries{9, "BT.2020", {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046}},
    Primaries{11, "DCI-P3", {0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
    Primaries{12, "Display P3", {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
};
constexpr int kUnspecified = 2, kPq = 16, kHlg = 18;  // code numbers of ITU-T H.273

/// The curve from sample values to linear light: a power function, or the sRGB curve.
struct TransferCurve {
  bool srgb = false;
  double exponent = 1;  // light = sample^exponent
};

std::optional<TransferCurve> curve_of_number(int transfer) {
  switch (transfer) {
    case 1:  // BT.709 and similar functions: viewers display still pictures with the sRGB curve
    case 6:
    case 14:
    case 15:
    case 13:  // sRGB
    case kUnspecified:
      return TransferCurve{.srgb = true};
    case 4:
      return TransferCurve{.exponent = 2.2};
    case 5:
      return TransferCurve{.exponent = 2.8};
    case 8:
      return TransferCurve{.exponent = 1};
    default:
      return std::nullopt;
  }
}

std::string_view name_of_transfer(int transfer) {
  return transfer == kPq ? "PQ" : transfer == kHlg ? "HLG" : transfer == 8 ? "linear light" : "";
}

const Primaries* primaries_of_number(int number) {
  const auto* found = std::find_if(kPrimaries.begin(), kPrimaries.end(), [&](auto& p) { return p.number == number; });
  return found == kPrimaries.end() ? nullptr : found;
}

std::optional<TransferCurve> curve_of(const ColourInfo& colour) {
  if (colour.cicp) return curve_of_number((*colour.cicp)[1]);
  if (colour.srgb_intent || colour.gamma <= 0) return TransferCurve{.srgb = true};
  return TransferCurve{.exponent = 1 / colour.gamma};
}

std::optional<Chromaticities> chromaticities_of(const ColourInfo& colour) {
  if (colour.cicp) {
    const int number = (*colour.cicp)[0];
    if (number == kUnspecified) return kSrgb;
    const auto* known = primaries_of_number(number);
    return known == nullptr ? std::nullopt : std::optional{known->xy};
  }
  if (colour.srgb_intent || !colour.primaries) return kSrgb;
  return colour.primaries;
}

Vector operator*(const Matrix& m, const Vector& v) {
  Vector out{};
  for (std::size_t i = 0; i < 3; ++i) out[i] = m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2];
  return out;
}
Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
  return out;
}

// Returns the inverse of a matrix by its cofactors; nothing if it has none. With cyclic indices the sign of a cofactor
// is always that of its minor.
std::optional<Matrix> inverse(const Matrix& m) {
  const auto minor = [&](std::size_t i, std::size_t j) {
    const std::size_t a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
    return m[a][c] * m[b][d] - m[a][d] * m[b][c];
  };
  const double determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  if (!(std::abs(determinant) > 1e-9)) return std::nullopt;
  Matrix out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out[j][i] = minor(i, j) / determinant;
  return out;
}

/// Returns the XYZ of a chromaticity, with Y = 1.
Vector xyz_of(double x, double y) { return {x / y, 1, (1 - x - y) / y}; }

/// Returns the matrix whose columns are red, green and blue in XYZ under D50. Source: ICC.1:2001-04, annex E
/// (Bradford).
std::optional<Matrix> matrix_of(const Chromaticities& xy) {
  for (std::size_t i = 1; i < xy.size(); i += 2)  // the y values, which are divisors
    if (!(xy[i] > 1e-4)) return std::nullopt;
  const Vector white = xyz_of(xy[0], xy[1]);
  Matrix columns{};  // red, green and blue in XYZ, first with Y = 1, then with the amounts that make white
  for (std::size_t c = 0; c < 3; ++c) {
    const Vector primary = xyz_of(xy[2 + 2 * c], xy[3 + 2 * c]);
    for (std::size_t i = 0; i < 3; ++i) columns[i][c] = primary[i];
  }
  const auto inverted = inverse(columns);
  if (!inverted) return std::nullopt;
  // the amounts of red, green and blue light that add up to white
  const Vector amounts = *inverted * white;
  for (auto& row : columns)
    for (std::size_t c = 0; c < 3; ++c) row[c] *= amounts[c];
  constexpr Matrix kBradford{{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}};
  // The picture's white and the white D50, as responses of the eye's three kinds of cones (Bradford's matrix).
  const Vector from = kBradford * white, to = kBradford * Vector{0.9642, 1, 0.8249};
  Matrix scale{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(std::abs(from[i]) > 1e-6)) return std::nullopt;
    scale[i][i] = to[i] / from[i];
  }
  return *inverse(kBradford) * (scale * (kBradford * columns));
}

// --- the bytes of the profile: ICC.1:2001-04, 6.1 (header), 6.3 (tags), 6.5 (types); numbers are big-endian

void put(Blob& to, std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void put_number(Blob& to, std::uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}
/// Appends a number in the type s15Fixed16Number: a multiple of 1/65536 in 32 bits.
void put_fixed(Blob& to, double value) {
  put_number(to, static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(value * 65536))), 4);
}

Blob xyz_tag(const Vector& xyz) {
  Blob tag;
  put(tag, {"XYZ \0\0\0\0", 8});
  for (const double v : xyz) put_fixed(tag, v);
  return tag;
}

Blob description_tag(std::string_view text) {
  Blob tag;
  put(tag, {"desc\0\0\0\0", 8});
  put_number(tag, static_cast<std::uint32_t>(text.size() + 1), 4);
  put(tag, text);
  tag.resize(tag.size() + 1 + 78);  // terminating zero; no Unicode text and no Macintosh text
  return tag;
}

double light_of_srgb(double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); }

Blob curve_tag(const TransferCurve& curve) {
  Blob tag;
  put(tag, {"curv\0\0\0\0", 8});
  if (curve.srgb) {
    constexpr std::uint32_t kPoints = 1024;
    put_number(tag, kPoints, 4);
    for (std::uint32_t i = 0; i < kPoints; ++i)
      put_number(tag, static_cast<std::uint32_t>(std::lround(65535 * light_of_srgb(i / (kPoints - 1.0)))), 2);
    return tag;
  }
  const bool linear = std::abs(curve.exponent - 1) < 1e-4;
  put_number(tag, linear ? 0 : 1, 4);  // number of entries; 0: linear, 1: the entry is the exponent
  if (!linear) put_number(tag, static_cast<std::uint32_t>(std::lround(curve.exponent * 256)), 2);
  return tag;
}

struct Tag {
  std::string_view name;
  Blob data;
};

Blob assemble_profile(const std::vector<Tag>& tags, bool grey) {
  Blob table, data;  // the tag table (name, offset and size of each tag); the data of the tags
  put_number(table, static_cast<std::uint32_t>(tags.size()), 4);
  const std::size_t start = 128 + 4 + 12 * tags.size();  // offset of the data: after the header and the tag table
  for (const Tag& tag : tags) {
    put(table, tag.name);
    put_number(table, static_cast<std::uint32_t>(start + data.size()), 4);
    put_number(table, static_cast<std::uint32_t>(tag.data.size()), 4);
    data.insert(data.end(), tag.data.begin(), tag.data.end());
    data.resize(round_up(data.size(), 4));
  }
  Blob icc;
  put_number(icc, static_cast<std::uint32_t>(start + data.size()), 4);
  put_number(icc, 0, 4);           // no preferred colour management module
  put_number(icc, 0x02400000, 4);  // version 2.4
  put(icc, grey ? "mntrGRAYXYZ " : "mntrRGB XYZ ");
  // The date is fixed, so that the bytes are always the same.
  for (const std::uint32_t part : {2000U, 1U, 1U, 0U, 0U, 0U}) put_number(icc, part, 2);
  put(icc, "acsp");
  icc.resize(68);                                                  // offset of the illuminant
  for (const double v : {0.9642, 1.0, 0.8249}) put_fixed(icc, v);  // D50, the illuminant of all profiles
  icc.resize(128);
  icc.insert(icc.end(), table.begin(), table.end());
  icc.insert(icc.end(), data.begin(), data.end());
  return icc;
}

bool is_near(const Chromaticities& a, const Chromaticities& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::abs(a[i] - b[i]) > 0.001) return false;
  return true;
}

}  // namespace

bool is_srgb(const ColourInfo& colour) {
  const auto curve = curve_of(colour);
  const auto xy = chromaticities_of(colour);
  // PNG recommends a gamma of 1/2.2 for sRGB samples.
  return curve && xy && (curve->srgb || std::abs(curve->exponent - 2.2) < 0.01) && is_near(*xy, kSrgb);
}

Blob make_icc_profile(const ColourInfo& colour, bool grey) {
  const auto curve = curve_of(colour);
  const auto xy = chromaticities_of(colour);
  if (!curve || !xy || !(curve->exponent > 0.01 && curve->exponent < 100)) return {};
  std::vector<Tag> tags{
      {"desc", description_tag(describe_colour(colour))}, {"cprt", {}}, {"wtpt", xyz_tag({0.9642, 1, 0.8249})}};
  put(tags[1].data, {"text\0\0\0\0none\0", 13});
  const Blob curve_data = curve_tag(*curve);
  if (grey) {
    tags.push_back({"kTRC", curve_data});
    return assemble_profile(tags, /*grey=*/true);
  }
  const auto matrix = matrix_of(*xy);
  if (!matrix) return {};
  constexpr std::array<std::string_view, 3> kColumns{"rXYZ", "gXYZ", "bXYZ"}, kCurves{"rTRC", "gTRC", "bTRC"};
  for (std::size_t c = 0; c < 3; ++c) {
    tags.push_back({kColumns[c], xyz_tag({(*matrix)[0][c], (*matrix)[1][c], (*matrix)[2][c]})});
    tags.push_back({kCurves[c], curve_data});
  }
  return assemble_profile(tags, /*grey=*/false);
}

std::string describe_colour(const ColourInfo& colour) {
  if (colour.cicp) {
    const int primaries = (*colour.cicp)[0], transfer = (*colour.cicp)[1];
    const auto* known = primaries_of_number(primaries);
    const auto name = name_of_transfer(transfer);
    return fmt::format("{} of {}", name.empty() ? fmt::format("transfer function {}", transfer) : std::string{name},
                       known != nullptr ? std::string{known->name} : fmt::format("primaries {}", primaries));
  }
  if (colour.srgb_intent) return "sRGB";
  if (colour.gamma > 0) return fmt::format("gamma {:.4g}{}", colour.gamma, colour.primaries ? " and primaries" : "");
  return colour.primaries ? "primaries" : "HDR data";
}

}  // namespace weir::media

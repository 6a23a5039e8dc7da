#include "color.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "settings.hpp"

using namespace standin;

struct StandinString {
  Space space;
};

namespace {

constexpr StandinString srgb{{3, Curve::srgb}}, linear_srgb{{3, Curve::none}}, display_p3{{3, Curve::srgb, true}}, linear_display_p3{{3, Curve::none, true}},
    gray{{1, Curve::gamma_2_2}}, linear_gray{{1, Curve::none}};

}  // namespace

const CFStringRef kCGColorSpaceSRGB = &srgb, kCGColorSpaceLinearSRGB = &linear_srgb, kCGColorSpaceDisplayP3 = &display_p3, kCGColorSpaceLinearDisplayP3 = &linear_display_p3,
                  kCGColorSpaceGenericGrayGamma2_2 = &gray, kCGColorSpaceLinearGray = &linear_gray;

struct CGColorSpace {
  Space space;
};
struct CGColorConversionInfo {
  ColorTransform transform;
};

namespace {

// References of all objects that live, by address: what is released too often, or used after that, is found at once. Addresses are
// kept upside down, so that the leak checker does not take this for an owner.
class References {
 public:
  template <class T>
  T* add(T* object) {
    std::lock_guard lock(mutex_);
    counts_[key(object)] = {1, [](const void* p) { delete static_cast<const T*>(p); }};
    return object;
  }
  void retain(CFTypeRef object) {
    std::lock_guard lock(mutex_);
    const auto found = counts_.find(key(object));
    require(found != counts_.end(), @"CFRetain: not an object, or released before");
    ++found->second.count;
  }
  void release(CFTypeRef object) {
    std::lock_guard lock(mutex_);
    const auto found = counts_.find(key(object));
    require(found != counts_.end(), @"CFRelease: not an object, or released too often");
    if (--found->second.count) return;
    found->second.free(object);
    counts_.erase(found);
  }
  bool has(CFTypeRef object) {
    std::lock_guard lock(mutex_);
    return counts_.contains(key(object));
  }

 private:
  struct Life {
    long count;
    void (*free)(const void*);
  };
  static std::uintptr_t key(CFTypeRef object) { return ~reinterpret_cast<std::uintptr_t>(object); }
  std::mutex mutex_;
  std::unordered_map<std::uintptr_t, Life> counts_;
};
References& references() {
  static auto* all = new References;  // plans may be let go of after static objects are
  return *all;
}

double decoded(double v, Curve curve) {
  if (curve == Curve::gamma_2_2) return std::pow(std::max(v, 0.0), 2.2);
  if (curve == Curve::none) return v;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}
double encoded(double v, Curve curve) {
  if (curve == Curve::gamma_2_2) return std::pow(std::max(v, 0.0), 1 / 2.2);
  if (curve == Curve::none) return v;
  return v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
}

// XYZ of linear light: the primaries' columns, scaled so that their sum is the white D65.
using Matrix = std::array<Color, 3>;
double determinant(const Matrix& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}
Color solved(const Matrix& m, const Color& right) {  // Cramer's rule
  Color out;
  for (std::size_t c = 0; c < 3; ++c) {
    Matrix replaced = m;
    for (std::size_t r = 0; r < 3; ++r) replaced[r][c] = right[r];
    out[c] = determinant(replaced) / determinant(m);
  }
  return out;
}
Color times(const Matrix& m, const Color& v) {
  Color out{};
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) out[r] += m[r][c] * v[c];
  return out;
}
Color xyz(double x, double y) { return {x / y, 1, (1 - x - y) / y}; }
Matrix to_xyz(bool is_p3) {
  const std::array<Color, 3> primaries = is_p3 ? std::array<Color, 3>{xyz(0.68, 0.32), xyz(0.265, 0.69), xyz(0.15, 0.06)} : std::array<Color, 3>{xyz(0.64, 0.33), xyz(0.3, 0.6), xyz(0.15, 0.06)};
  Matrix m;
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) m[r][c] = primaries[c][r];
  const Color white = solved(m, xyz(0.3127, 0.329));
  for (Color& row : m)
    for (std::size_t c = 0; c < 3; ++c) row[c] *= white[c];
  return m;
}

}  // namespace

namespace standin {

Color ColorTransform::operator()(const Color& color) const {
  static const Matrix srgb_to_xyz = to_xyz(false), p3_to_xyz = to_xyz(true);
  const auto matrix = [](const Space& s) -> const Matrix& { return s.is_p3 ? p3_to_xyz : srgb_to_xyz; };
  Color c;
  for (std::size_t i = 0; i < 3; ++i) c[i] = decoded(color[i], from.curve);
  if (from.is_p3 != to.is_p3) c = solved(matrix(to), times(matrix(from), c));
  for (double& v : c) v = encoded(v, to.curve);
  return c;
}

ColorTransform transform_of(CGColorConversionInfoRef info) {
  require(references().has(info), @"CGColorConversionInfo: used after its last release");
  return info->transform;
}

}  // namespace standin

CFTypeRef CFRetain(CFTypeRef object) {
  references().retain(object);
  return object;
}
void CFRelease(CFTypeRef object) { references().release(object); }

CGColorSpaceRef CGColorSpaceCreateWithName(CFStringRef name) {
  return name && !color_fails() ? references().add(new CGColorSpace{name->space}) : nullptr;
}
CGColorSpaceRef CGColorSpaceCreateDeviceRGB() { return references().add(new CGColorSpace{{.channels = 3, .curve = Curve::none, .is_calibrated = false}}); }
CGColorSpaceRef CGColorSpaceCreateDeviceGray() { return references().add(new CGColorSpace{{.channels = 1, .curve = Curve::none, .is_calibrated = false}}); }
void CGColorSpaceRelease(CGColorSpaceRef space) {
  if (space) CFRelease(space);
}

CGColorConversionInfoRef CGColorConversionInfoCreate(CGColorSpaceRef source, CGColorSpaceRef destination) {
  for (CGColorSpaceRef space : {source, destination}) {
    require(space && references().has(space), @"CGColorConversionInfoCreate: no colour space, or one used after its last release");
    if (!space->space.is_calibrated) return nullptr;
  }
  return color_fails() ? nullptr : references().add(new CGColorConversionInfo{{source->space, destination->space}});
}

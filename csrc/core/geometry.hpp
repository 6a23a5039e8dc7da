#pragma once
#include <cstdint>
#include <limits>

// Apple's small structs, as kernels hold them. Images count x along the width, y along the height and z through the
// images of a batch; a matrix origin has its ROW in x and its COLUMN in y.
namespace mpskit {

// Numbers that become extents, or that extents are added to, end here: sums of a few do not overflow.
inline constexpr std::int64_t largest_extent = std::int64_t{1} << 40;

struct Offset {  // may be negative
  std::int64_t x = 0, y = 0, z = 0;
  bool operator==(const Offset&) const = default;
};
struct Origin {  // never negative
  std::int64_t x = 0, y = 0, z = 0;
  bool operator==(const Origin&) const = default;
};
struct Size {
  std::int64_t width = 0, height = 0, depth = 1;
  bool operator==(const Size&) const = default;
};
struct Region {  // the default is "no clip": everything
  static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
  Origin origin;
  Size size{unlimited, unlimited, unlimited};
  bool is_everything() const { return *this == Region{}; }
  bool operator==(const Region&) const = default;
};
struct ScaleTransform {  // dest = source * scale + translate, in continuous coordinates
  double scale_x = 1, scale_y = 1, translate_x = 0, translate_y = 0;
  bool operator==(const ScaleTransform&) const = default;
};

}  // namespace mpskit

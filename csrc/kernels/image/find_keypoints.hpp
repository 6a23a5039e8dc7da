#pragma once
#include <vector>

#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct FindKeypoints : AnyKernel {
  std::int64_t maximum_keypoints = 1024;
  float minimum_threshold_value = 0.5f;
  std::vector<std::array<std::int64_t, 4>> regions;
  bool operator==(const FindKeypoints&) const = default;

  static constexpr KernelInfo info{
      "FindKeypoints", "Where a picture reaches a threshold, region by region.", "MPSImageFindKeypoints, in MPSImageKeypoint.h",
      "Returns (keypoints, counts). Row r of keypoints holds those of region r: records of x, y (uint16) and value (float32, code / 255) for every pixel whose value is "
      "at least minimum_threshold_value, which is compared in float32; behind the first counts[r] of them are zeros. A region is cut to the picture. "
      "Apple's header leaves open what follows, and this is the CPU engine's definition: x and y count from the corner of the picture, not of the region; keypoints "
      "come row by row; of more than maximum_keypoints the first ones are kept, and counts[r] is never above maximum_keypoints. On Metal their order, and which of too "
      "many are kept, are MPS's. x and y are 16 bits wide, so pictures have at most 65536 pixels a side."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"maximum_keypoints", &FindKeypoints::maximum_keypoints, Range{.min = 1, .max = 1 << 28}, "", "Room for so many keypoints in each region."},
                 Field{"minimum_threshold_value", &FindKeypoints::minimum_threshold_value, Range{.min = 0, .max = 1}, "", "The lowest value of a keypoint."},
                 Field{"regions", &FindKeypoints::regions, Range{.min = 0}, "px", "Parts of the picture that are searched each for itself, (x, y, width, height) of each; none are one, the whole picture."}},
      options_field);
  static constexpr std::array parts{Record::Part{"maximum_keypoints", "u8", 0}, Record::Part{"minimum_threshold_value", "f4", 8}};
  static constexpr Record record{"keypoint_range_info", "KeypointRangeInfo", 16, parts};
  static constexpr std::array operands{
      OperandSpec{"image", Role::input, Kind::image, DTypes{DType::u8}, "The picture, of one channel, shape (height, width) or (images, height, width, 1)."},
      OperandSpec{"keypoints", Role::output, Kind::matrix, DTypes{DType::u32},
                  "The keypoints, records of mps.image.KeypointData, (regions, maximum_keypoints) or (images, regions, maximum_keypoints); as an mps.Matrix two words each.",
                  Count::one, "MPSImageKeypointData"},
      OperandSpec{"counts", Role::output, Kind::vector, DTypes{DType::u32}, "How many there are, (regions,) or (images, regions)."}};
  static constexpr std::array tolerances{Tolerance{DType::u32, 0, 0, "pixels, their own values, and exact counts"}};

  // The regions, or the one that is meant, cut to the picture.
  std::vector<Window> windows(const Layout& src) const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, FindKeypoints)

#include "cpu/image/fetch.inl"
#include "cpu/simd/any.inl"

// Most rows hold no keypoint, so they are counted first, in registers of bytes; only those that hold some are read again. That tells
// where each row's keypoints go, whoever writes them.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using KeypointBytes = Vec<std::uint8_t>;

std::uint32_t count_keypoints(const std::uint8_t* row, std::int64_t width, std::uint8_t least) {
  using V = KeypointBytes;
  constexpr std::int64_t step = lanes<std::uint8_t>;
  const V bound = least - V{};
  std::uint32_t count = 0;
  std::int64_t x = 0;
  while (x + step <= width) {
    V sums{};
    for (int i = 0; i < 255 && x + step <= width; ++i, x += step) sums -= (V)(load<V>(row + x) >= bound);
    for (std::int64_t lane = 0; lane < step; ++lane) count += sums[lane];
  }
  for (; x < width; ++x) count += row[x] >= least;
  return count;
}

class KeypointsPlan final : public CpuPlan {
 public:
  KeypointsPlan(const image::FindKeypoints& k, const Call& call) : windows_(k.windows(call.inputs[0])), most_(k.maximum_keypoints) {
    for (int code = 0; code < 256; ++code) values_[static_cast<std::size_t>(code)] = static_cast<float>(code) / 255.0f;
    while (values_[least_] < k.minimum_threshold_value) ++least_;
    for (const image::Window& w : windows_) {
      first_rows_.push_back(rows_);
      rows_ += w.height;
    }
    first_rows_.push_back(rows_);
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &keypoints = views[1], &counts = views[2];
    const std::int64_t images = src.layout.images(), rows = images * rows_, grain = (1 << 18) / src.layout.width() + 1;
    const Scratch memory(static_cast<std::size_t>(rows) * (sizeof(std::uint32_t) + sizeof(std::int64_t)));
    auto* before = memory.as<std::int64_t>();  // keypoints of the region in rows above
    auto* found = memory.as<std::uint32_t>(static_cast<std::size_t>(rows) * sizeof(std::int64_t));
    const auto least = static_cast<std::uint8_t>(least_);
    each_row(rows, grain, [&](std::int64_t row, std::int64_t image, const image::Window& w, std::int64_t y) {
      found[row] = count_keypoints(src.row<std::uint8_t>(image, y) + w.x, w.width, least);
    });
    for (std::int64_t image = 0; image < images; ++image)
      for (std::size_t r = 0; r < windows_.size(); ++r) {
        std::int64_t sum = 0;
        for (std::int64_t row = first_rows_[r]; row < first_rows_[r + 1]; ++row) {
          before[image * rows_ + row] = sum;
          sum += found[image * rows_ + row];
        }
        counts.vector<std::uint32_t>(image)[r] = static_cast<std::uint32_t>(std::min(sum, most_));
      }
    each_row(rows, grain, [&](std::int64_t row, std::int64_t image, const image::Window& w, std::int64_t y) {
      if (found[row] == 0 || before[row] >= most_) return;
      std::byte* to = keypoints.row<std::byte>(image, &w - windows_.data()) + before[row] * record_bytes;
      write_keypoints(src.row<std::uint8_t>(image, y), w, y, std::min<std::int64_t>(found[row], most_ - before[row]), to);
    });
    const auto regions = static_cast<std::int64_t>(windows_.size());
    parallel_for(images * regions, (1 << 17) / most_ + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t count = counts.vector<std::uint32_t>(i / regions)[i % regions];
        std::memset(keypoints.row<std::byte>(i / regions, i % regions) + count * record_bytes, 0, static_cast<std::size_t>((most_ - count) * record_bytes));
      }
    });
  }

 private:
  static constexpr std::int64_t record_bytes = 8;

  // body(row of all, image, window, y) for the rows of all regions of all images.
  template <class F>
  void each_row(std::int64_t rows, std::int64_t grain, F&& body) const {
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      std::size_t r = 0;
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t image = row / rows_, in_image = row % rows_;
        if (in_image < first_rows_[r]) r = 0;
        while (in_image >= first_rows_[r + 1]) ++r;
        body(row, image, windows_[r], windows_[r].y + in_image - first_rows_[r]);
      }
    });
  }

  void write_keypoints(const std::uint8_t* row, const image::Window& w, std::int64_t y, std::int64_t count, std::byte* to) const {
    using V = KeypointBytes;
    constexpr std::int64_t step = lanes<std::uint8_t>;
    const V bound = static_cast<std::uint8_t>(least_) - V{};
    const auto write = [&](std::int64_t x) {
      const auto x16 = static_cast<std::uint16_t>(x), y16 = static_cast<std::uint16_t>(y);
      std::memcpy(to, &x16, 2);
      std::memcpy(to + 2, &y16, 2);
      std::memcpy(to + 4, &values_[row[x]], 4);
      to += record_bytes;
      return --count > 0;
    };
    std::int64_t x = w.x;
    const std::int64_t end = w.x + w.width;
    for (; x + step <= end; x += step) {
      for (std::uint64_t left = lanes_of((V)(load<V>(row + x) >= bound)); left != 0; left &= left - 1)
        if (!write(x + std::countr_zero(left) / bits_of_lane)) return;
    }
    for (; x < end; ++x)
      if (row[x] >= least_ && !write(x)) return;
  }

  std::vector<image::Window> windows_;
  std::vector<std::int64_t> first_rows_;  // of each region, counted through all of them; one more at the end
  std::int64_t rows_ = 0, most_;
  std::size_t least_ = 0;  // code
  std::array<float, 256> values_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::FindKeypoints, KeypointsPlan)

#include "cpu/image/distance_row.inl"
#include "cpu/image/fetch.inl"
#include "cpu/simd/square_root.inl"

// Two passes: down and up every column, how many steps it is to the nearest pixel of the column that is not 0; then along every row.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class DistanceTransformPlan final : public CpuPlan {
 public:
  DistanceTransformPlan(const image::EuclideanDistanceTransform& k, const Call& call)
      : is_clamped_(k.edge_mode == EdgeMode::clamp),
        window_(image::clip_window(k.clip_rect, call.outputs[0])),
        shift_x_(near_enough(k.offset.x)),
        shift_y_(near_enough(k.offset.y)),
        height_(call.inputs[0].height()),
        width_(call.inputs[0].width()) {
    const auto far = [](std::int64_t shift, std::int64_t written, std::int64_t size) {
      return static_cast<double>(std::max(size, shift + written) - std::min<std::int64_t>(0, shift));
    };
    const double x = far(shift_x_, window_.width, width_), y = far(shift_y_, window_.height, height_);
    using Narrow = SquaredDistance<std::int32_t>;
    is_narrow_ = height_ <= Narrow::most_rows && x * x + y * y < static_cast<double>(Narrow::most);
    const std::int64_t line = 64 / (is_narrow_ ? sizeof(Narrow::Steps) : sizeof(double));
    pitch_ = ((rounded_up(width_, line) / line) | 1) * line;  // an odd number of cache lines: rows lie in different sets
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_pixels(src.layout.dtype, [&]<class P>(P) {
      if (is_narrow_) run_in<std::int32_t, P>(src, dst);
      else run_in<double, P>(src, dst);
    });
  }

 private:
  // The bits that say whether an element is 0, which -0 is and NaN is not: all, or those behind the sign.
  template <class P>
  using Bits = std::conditional_t<std::is_same_v<P, float>, std::uint32_t, std::conditional_t<std::is_same_v<P, Float16>, std::uint16_t, P>>;
  template <class P>
  static constexpr int signs = std::is_integral_v<P> ? 0 : 1;
  template <class P>
  static MPSKIT_INLINE bool is_set(P v) {
    return static_cast<Bits<P>>(std::bit_cast<Bits<P>>(v) << signs<P>) != 0;
  }

  // Sums with sides of pictures do not overflow.
  static std::int64_t near_enough(std::int64_t offset) {
    constexpr std::int64_t far = std::int64_t{1} << 62;
    return std::clamp(offset, -far, far);
  }

  template <class T, class P>
  void run_in(const View& src, const View& dst) const {
    using Steps = typename SquaredDistance<T>::Steps;
    constexpr std::int64_t strip = 8 * lanes<std::int16_t>, most_bytes = 32 << 20;
    const std::int64_t images = dst.layout.images(), size = height_ * pitch_, strips = (width_ + strip - 1) / strip;
    const std::int64_t some = std::clamp<std::int64_t>(most_bytes / (size * static_cast<std::int64_t>(sizeof(Steps))), 1, images);
    const Scratch steps_memory(static_cast<std::size_t>(some * size) * sizeof(Steps));
    Steps* const steps = steps_memory.as<Steps>();
    for (std::int64_t first = 0; first < images; first += some) {
      const std::int64_t n = std::min(some, images - first);
      parallel_for(n * strips, (1 << 17) / (height_ * strip) + 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t image = task / strips, x = task % strips * strip;
          count_steps<P>(src, first + image, x, std::min(strip, width_ - x), steps + image * size + x);
        }
      });
      parallel_for(n * window_.height, (1 << 14) / window_.width + 1, [&](std::int64_t begin, std::int64_t end) {
        DistanceRow<T> row(width_, shift_x_, window_.width, is_clamped_);
        const Scratch memory(DistanceRow<T>::bytes(width_, window_.width));
        row.set_memory(memory.as<std::byte>());
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t image = task / window_.height, y = task % window_.height;
          const std::int64_t at = shift_y_ + y, nearest = std::clamp<std::int64_t>(at, 0, height_ - 1);
          square(steps + image * size + nearest * pitch_, std::abs(at - nearest), row.f());
          row.run();
          write(row.out(), dst, first + image, y);
        }
      });
    }
  }

  // Down and up `count` columns, the steps of as many as there are registers at a time.
  template <class P, class Steps>
  void count_steps(const View& src, std::int64_t image, std::int64_t x, std::int64_t count, Steps* to) const {
    std::int64_t i = 0;
    if constexpr (std::is_same_v<Steps, std::int16_t>) {
      for (; i + 8 * lanes<Steps> <= count; i += 8 * lanes<Steps>) count_lanes<P, 8>(src, image, x + i, to + i);
      for (; i + lanes<Steps> <= count; i += lanes<Steps>) count_lanes<P, 1>(src, image, x + i, to + i);
    }
    for (; i < count; ++i) {
      Steps steps = none<Steps>;
      for (std::int64_t y = 0; y < height_; ++y) to[y * pitch_ + i] = steps = is_set(src.row<const P>(image, y)[x + i]) ? Steps{} : static_cast<Steps>(steps + 1);
      for (std::int64_t y = height_ - 2; y >= 0; --y) to[y * pitch_ + i] = steps = std::min(to[y * pitch_ + i], static_cast<Steps>(steps + 1));
    }
  }
  template <class P, int registers>
  void count_lanes(const View& src, std::int64_t image, std::int64_t x, std::int16_t* to) const {
    using Many [[gnu::vector_size(lanes<std::int16_t> * sizeof(Bits<P>))]] = Bits<P>;
    using V = Vec<std::int16_t>;
    V steps[registers];
    for (V& v : steps) v = none<std::int16_t> - V{};
    for (std::int64_t y = 0; y < height_; ++y) {
      const auto* from = reinterpret_cast<const Bits<P>*>(src.row<const P>(image, y) + x);
      std::int16_t* row = to + y * pitch_;
      for (int r = 0; r < registers; ++r) {
        const auto is_zero = (load<Many>(from + r * lanes<std::int16_t>) << signs<P>) == 0;
        steps[r] = (steps[r] + 1) & __builtin_convertvector(is_zero, V);
        store(row + r * lanes<std::int16_t>, steps[r]);
      }
    }
    for (std::int64_t y = height_ - 2; y >= 0; --y) {
      std::int16_t* row = to + y * pitch_;
      for (int r = 0; r < registers; ++r) {
        const V before = load<V>(row + r * lanes<std::int16_t>), more = steps[r] + 1;
        steps[r] = before < more ? before : more;
        store(row + r * lanes<std::int16_t>, steps[r]);
      }
    }
  }
  template <class Steps>
  static constexpr Steps none = SquaredDistance<std::conditional_t<std::is_same_v<Steps, double>, double, std::int32_t>>::no_step;

  // From a row that lies `beyond` rows outside, where 'clamp' continues the border's pixels.
  template <class T, class Steps>
  void square(const Steps* steps, std::int64_t beyond, T* f) const {
    const auto more = static_cast<T>(beyond);
    const bool is_continued = is_clamped_ && beyond > 0;
    for (std::int64_t x = 0; x < width_; ++x) {
      const T d = static_cast<T>(steps[x]) + more;
      const T squared = steps[x] >= SquaredDistance<T>::no_step ? SquaredDistance<T>::infinite : static_cast<T>(d * d);
      f[x] = is_continued && steps[x] == 0 ? T{} : squared;
    }
  }

  void write(const std::int32_t* squared, const View& dst, std::int64_t image, std::int64_t y) const {
    visit_pixels(dst.layout.dtype, [&]<class P>(P) {
      store_run(dst.row<P>(image, window_.y + y) + window_.x, window_.width, [=](std::int64_t x) {
        const auto d = load<Vec<std::int32_t>>(squared + x);
        const Vec<float> infinity = std::numeric_limits<float>::infinity() - Vec<float>{};
        const Vec<float> root = square_root(__builtin_convertvector(d, Vec<float>)) * unit<P>;
        return d >= SquaredDistance<std::int32_t>::infinite ? infinity : root;
      });
    });
  }
  void write(const double* squared, const View& dst, std::int64_t image, std::int64_t y) const {
    std::vector<float> distances(static_cast<std::size_t>(window_.width));
    for (std::size_t x = 0; x < distances.size(); ++x) distances[x] = static_cast<float>(std::sqrt(squared[x]));
    from_float(distances.data(), dst.layout.dtype, dst.row<std::byte>(image, window_.y + y) + window_.x * dst.layout.element_bytes(), window_.width, unit_of(dst.layout.dtype));
  }

  bool is_clamped_, is_narrow_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_, height_, width_, pitch_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::EuclideanDistanceTransform, DistanceTransformPlan)

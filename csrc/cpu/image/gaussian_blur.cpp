#include "cpu/image/fetch.inl"
#include "cpu/simd/transpose.inl"

// A band of output rows is worked through in strips from left to right. The strip's source rows become floats, are filtered down
// the columns, turned into stacks (see transpose.inl) behind what the strips before have left, and filtered along the rows by
// the same loop. A stack keeps the columns that outputs to come still need, so nothing is filtered twice and all of it stays in
// the nearest caches. Beyond the left and right border one filtered column is repeated.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// Filters the registers at centre and one, two, three pitches behind it. Mirrored neighbours are added before they are weighted,
// and a neighbour is loaded once for all four: two loads for eight additions and multiplications. The farthest and lightest
// neighbours go first. Four terms make a sum of their own: no long chain of additions has to wait for itself, or to round.
MPSKIT_INLINE void blur_four(const float* centre, std::int64_t pitch, std::span<const float> taps, Vec<float> (&out)[4]) {
  using V = Vec<float>;
  auto k = static_cast<std::int64_t>(taps.size()) - 1;
  const float *before = centre - k * pitch, *behind = centre + k * pitch, *weight = taps.data() + k;
  auto row = [pitch](const float* p, int i) { return load<V>(p + i * pitch); };
  for (int j = 0; j < 4; ++j) out[j] = broadcast(taps.data()) * row(centre, j);
  // In step s slot s + j (mod 4) of `low` holds row j - k, slot s - j of `high` row j + k.
  V low[4] = {row(before, 0), row(before, 1), row(before, 2), V{}}, high[4] = {V{}, row(behind, 3), row(behind, 2), row(behind, 1)}, sum[4];
  auto step = [&]<int s>(std::integral_constant<int, s>) {
    low[(s + 3) & 3] = row(before, s + 3);
    high[s] = row(behind, -s);
    const V w = broadcast(weight - s);
    for (int j = 0; j < 4; ++j) {
      const V pair = low[(s + j) & 3] + high[(s - j) & 3];
      sum[j] = s == 0 ? w * pair : multiply_add(w, pair, sum[j]);
    }
  };
  constexpr std::integral_constant<int, 0> zeroth;
  constexpr std::integral_constant<int, 1> first;
  constexpr std::integral_constant<int, 2> second;
  constexpr std::integral_constant<int, 3> third;
  for (; k >= 4; k -= 4) {
    step(zeroth), step(first), step(second), step(third);
    for (int j = 0; j < 4; ++j) out[j] += sum[j];
    before += 4 * pitch;
    behind -= 4 * pitch;
    weight -= 4;
  }
  if (k == 0) return;
  step(zeroth);
  if (k > 1) step(first);
  if (k > 2) step(second);
  for (int j = 0; j < 4; ++j) out[j] += sum[j];
}

class GaussianBlurPlan final : public CpuPlan {
 public:
  GaussianBlurPlan(const image::GaussianBlur& k, const Call& call) : edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    radius_ = static_cast<std::int64_t>(std::ceil(3.7 * k.sigma));
    std::vector<double> weights{1.0};
    double sum = 1;
    for (std::int64_t i = 1; i <= radius_; ++i)
      sum += 2 * weights.emplace_back(std::exp(-0.5 * static_cast<double>(i * i) / (double{k.sigma} * k.sigma)));
    for (double w : weights) taps_.push_back(static_cast<float>(w / sum));
    // Halves, so that the sum of a pair of the largest floats is no infinity.
    load_factor_ = radius_ > 0 ? 0.5f : 1.0f;
    store_factor_ = unit_of(dst.dtype) / unit_of(src.dtype) / load_factor_;

    channels_ = src.channels();
    // A strip's rows under four outputs fit the first cache beside what is written.
    const std::int64_t elements = std::clamp<std::int64_t>(6144 / (2 * radius_ + 4), 64, 256);
    strip_ = std::max<std::int64_t>(elements / channels_, 1);
    shift_y_ = bounded(k.offset.y) - radius_;
    const std::int64_t begin = bounded(k.offset.x) - radius_, columns = window_.width + 2 * radius_;
    const std::int64_t left = std::clamp<std::int64_t>(-begin, 0, columns);
    const std::int64_t right = std::clamp<std::int64_t>(begin + columns - src.width(), 0, columns);
    const bool is_filled = edge_ == EdgeMode::clamp;
    auto add = [&](std::int64_t source, std::int64_t pixels, bool is_border) {
      for (std::int64_t p = 0, n; p < pixels; p += n) {
        n = std::min(strip_, pixels - p);
        pieces_.push_back(is_border ? Piece{source, is_filled, n} : Piece{source + p, n, n});
      }
    };
    add(0, left, true);
    add(begin + left, columns - left - right, false);
    add(src.width() - 1, right, true);
  }

  void run(std::span<const View> views) const override {
    const std::int64_t images = views[1].layout.images();
    const std::int64_t most = (window_.height + 3 * num_threads() - 1) / (3 * num_threads());
    const std::int64_t band = round_up(std::clamp<std::int64_t>(2 * radius_, 32, std::clamp<std::int64_t>(most, 32, 128)), stack_rows);
    const std::int64_t bands = (window_.height + band - 1) / band;
    const std::int64_t work = std::min(band, window_.height) * window_.width * channels_ * (12 + radius_);
    parallel_for(images * bands, 80000 * lanes<float> / work + 1, [&](std::int64_t begin, std::int64_t end) {
      const Workspace w(*this, band);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t y = task % bands * band;
        blur_band(views[0], views[1], task / bands, y, std::min(band, window_.height - y), w);
      }
    });
  }

 private:
  // Columns of the filter's input along a row: `count` source pixels from `source` on, then the last of them again until there
  // are `pixels`. Zeros when count is 0.
  struct Piece {
    std::int64_t source, count, pixels;
  };

  struct Workspace {
    std::int64_t pitch, stack_columns, stack_floats, out_pitch;
    Scratch memory;
    float *rows, *filtered, *stacks, *out_stack, *out;
    Workspace(const GaussianBlurPlan& p, std::int64_t band)
        : pitch(round_up(p.strip_ * p.channels_, 16)),
          stack_columns(4 * p.radius_ + 2 * p.strip_ + 8),
          stack_floats((stack_columns + 4) * p.channels_ * stack_rows + 64),
          out_pitch(round_up((p.strip_ + 8) * p.channels_, 16)),
          memory(sizeof(float) * static_cast<std::size_t>((band + 2 * p.radius_ + stack_rows) * pitch + band / stack_rows * stack_floats +
                                                          2 * stack_rows * out_pitch)) {
      rows = memory.as<float>();
      stacks = rows + (band + 2 * p.radius_) * pitch;
      filtered = stacks + band / stack_rows * stack_floats;
      out_stack = filtered + stack_rows * pitch;
      out = out_stack + stack_rows * out_pitch;
    }
  };

  void blur_band(const View& src, const View& dst, std::int64_t image, std::int64_t y, std::int64_t rows, const Workspace& w) const {
    const std::int64_t stacks = (rows + stack_rows - 1) / stack_rows;
    const std::int64_t dst_bytes = dst.layout.element_bytes() * channels_;
    std::int64_t begin = 0, end = 0, written = 0;  // filled columns of the stacks, finished output pixels
    for (const Piece& piece : pieces_) {
      if (end + piece.pixels > w.stack_columns) {
        for (std::int64_t s = 0; s < stacks; ++s)
          std::memmove(w.stacks + s * w.stack_floats, w.stacks + s * w.stack_floats + begin * channels_ * stack_rows,
                       static_cast<std::size_t>((end - begin) * channels_ * stack_rows) * sizeof(float));
        end -= begin;
        begin = 0;
      }
      for (std::int64_t i = 0; piece.count > 0 && i < rows + 2 * radius_; ++i)
        fetch_row(src, image, y + shift_y_ + i, piece.source, piece.count, edge_, w.rows + i * w.pitch, load_factor_);
      for (std::int64_t s = 0; s < stacks; ++s) blur_columns(s, piece, w.stacks + s * w.stack_floats + end * channels_ * stack_rows, w);
      end += piece.pixels;

      const std::int64_t left = window_.width - written;
      std::int64_t ready = end - begin - 2 * radius_;
      if (ready < left) ready -= ready % 4;
      if (ready <= 0) continue;
      for (std::int64_t s = 0; s < stacks; ++s) {
        blur_rows(w.stacks + s * w.stack_floats + begin * channels_ * stack_rows, ready, w);
        for (std::int64_t i = 0; i < std::min(stack_rows, rows - s * stack_rows); ++i)
          from_float(w.out + i * w.out_pitch, dst.layout.dtype,
                     dst.row<std::byte>(image, window_.y + y + s * stack_rows + i) + (window_.x + written) * dst_bytes, ready * channels_, store_factor_);
      }
      begin += ready;
      written += ready;
    }
  }

  void blur_columns(std::int64_t stack, const Piece& piece, float* to, const Workspace& w) const {
    const std::int64_t columns = piece.count * channels_;
    Vec<float> four[4];
    if (columns == 0) {
      std::fill_n(to, piece.pixels * channels_ * stack_rows, 0.0f);
      return;
    }
    for (std::int64_t i = 0; i < stack_rows; i += 4)
      for (std::int64_t x = 0; x < columns; x += lanes<float>) {
        blur_four(w.rows + (stack * stack_rows + i + radius_) * w.pitch + x, w.pitch, taps_, four);
        for (int j = 0; j < 4; ++j) store(w.filtered + (i + j) * w.pitch + x, four[j]);
      }
    for (std::int64_t x = 0; x < columns; x += 4) {
      load_columns(w.filtered + x, w.pitch, four);
      for (int j = 0; j < 4; ++j) store(to + (x + j) * stack_rows, four[j]);
    }
    const std::int64_t pixel = channels_ * stack_rows;
    for (std::int64_t p = piece.count; p < piece.pixels; ++p) std::copy_n(to + (piece.count - 1) * pixel, pixel, to + p * pixel);
  }

  void blur_rows(const float* from, std::int64_t pixels, const Workspace& w) const {
    Vec<float> four[4];
    const std::int64_t pixel = channels_ * stack_rows;
    for (std::int64_t x = 0; x < pixels; x += 4)
      for (std::int64_t c = 0; c < channels_; ++c) {
        blur_four(from + (x + radius_) * pixel + c * stack_rows, pixel, taps_, four);
        for (int j = 0; j < 4; ++j) store(w.out_stack + (x + j) * pixel + c * stack_rows, four[j]);
      }
    for (std::int64_t x = 0; x < pixels * channels_; x += 4) {
      for (int j = 0; j < 4; ++j) four[j] = load<Vec<float>>(w.out_stack + (x + j) * stack_rows);
      store_columns(w.out + x, w.out_pitch, four);
    }
  }

  EdgeMode edge_;
  image::Window window_;
  std::int64_t radius_ = 0, channels_ = 0, strip_ = 0, shift_y_ = 0;
  float load_factor_ = 1, store_factor_ = 1;
  std::vector<float> taps_;  // weights of neighbours 0, 1, ... radius
  std::vector<Piece> pieces_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::GaussianBlur, GaussianBlurPlan)

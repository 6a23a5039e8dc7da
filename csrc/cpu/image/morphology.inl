#pragma once
#include "cpu/image/chosen.inl"
#include "cpu/image/fold.inl"
#include "cpu/simd/streams.inl"
#include "kernels/common/window_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

template <class T>
inline constexpr auto element_bytes = static_cast<std::int64_t>(sizeof(T));

// Where a row goes: into memory that is used again, to the picture, or there past the caches, for which its lines are whole.
enum class Goes { near, far, past };

// One row of the extremes of rows that begin `at` places, and of others with a number taken from or added to each element: to `to`, which is
// written no further than it goes. `spare` has room for a few registers.
template <class Op, class T>
struct Joined {
  std::span<const T* const> at, others;
  T number, others_number;

  void to_row(std::int64_t count, T* to, T* spare, Goes goes) const {
    using V = Vec<T>;
    constexpr std::int64_t together = columns * lanes<T>;
    for (std::int64_t next = 0; next < count; next += together) {
      const bool is_whole = count >= together;
      const std::int64_t x = is_whole ? std::min(next, count - together) : 0;
      V best[columns];
      join(at, x, best);
      if constexpr (std::is_same_v<T, float>) {
        if (!others.empty()) {
          V more[columns];
          join(others, x, more);
          for (int i = 0; i < columns; ++i) best[i] = Op{}(moved(best[i], number), moved(more[i], others_number));
        }
      }
      T* const out = is_whole ? to + x : spare;
      for (int i = 0; i < columns; ++i) {
        if (goes == Goes::far) ask_ahead(out + i * lanes<T>);
        if (goes == Goes::past && is_whole) stream(out + i * lanes<T>, best[i]);
        else store(out + i * lanes<T>, best[i]);
      }
      if (!is_whole) std::memcpy(to, spare, static_cast<std::size_t>(count) * sizeof(T));
    }
  }

  static constexpr int columns = 4;

 private:
  template <class V>
  static MPSKIT_INLINE void join(std::span<const T* const> places, std::int64_t x, V (&best)[columns]) {
    for (int i = 0; i < columns; ++i) best[i] = load<V>(places[0] + x + i * lanes<T>);
    for (const T* const a : places.subspan(1))
      for (int i = 0; i < columns; ++i) best[i] = Op{}(best[i], load<V>(a + x + i * lanes<T>));
  }
  static MPSKIT_INLINE Vec<T> moved(Vec<T> v, T n) { return std::is_same_v<Op, Upper> ? v - n : v + n; }
};

// A row of results: at once where they are stored as they are, unless they go past the caches and do not make whole lines.
template <class T>
struct ResultRow {
  std::byte* target;
  std::int64_t count;
  bool is_same, is_past;
  T* to;
  Goes goes = Goes::near;
  ResultRow(std::byte* row, std::int64_t elements, bool same, bool past, T* memory) : target(row), count(elements), is_same(same), is_past(past), to(memory) {
    const bool is_whole = reinterpret_cast<std::uintptr_t>(target) % 64 == 0 && count * element_bytes<T> % 64 == 0;
    if (!is_same || (is_past && !is_whole)) return;
    to = reinterpret_cast<T*>(target);
    goes = is_past ? Goes::past : Goes::far;
  }
  void end(const View& src, const View& dst, float* floats) const {
    if (goes != Goes::near) return;
    if (is_same) stream_bytes(is_past, to, target, count * element_bytes<T>);
    else store_chosen(to, src.layout.dtype, target, dst.layout.dtype, count, floats);
  }
};

// Wide strips, which hardware foresees, in bands of many rows: few of a tile's rows are of its margin. Where many rows are `kept` strips are narrower, so
// that rows stay in the nearest cache: 9 x 9 of four floats takes 4.8 ms for 6.6 (1920 x 1080, one thread, Sapphire Rapids).
inline Tiles rows_of_extremes(const image::UnaryKernel& k, const Call& call, std::int64_t width, std::int64_t height, std::int64_t kept = 0) {
  constexpr std::uint64_t nearest = 48 << 10;
  const std::int64_t element_bytes = ordered_bytes(call.inputs[0].dtype);
  const auto row_bytes = static_cast<std::int64_t>(std::bit_floor(nearest / static_cast<std::uint64_t>(kept + 2)));
  return {k, call, width, height, element_bytes, element_bytes * (256 << 10), std::clamp<std::int64_t>(row_bytes, 2 << 10, 8 << 10)};
}

// The largest or smallest element of a whole window. Four rows of the source become one of extremes of four rows, four of those one of
// sixteen: as many of each are kept as the next need, and the last make up the window's height, where they may overlap. That row goes across in the
// same way. Elements that need no conversion are read where they lie.
template <class Op>
class AreaPlan : public CpuPlan {
 public:
  AreaPlan(const image::UnaryKernel& k, std::int64_t width, std::int64_t height, const Call& call)
      : width_(width), height_(height), levels_(levels_of(height)), kept_(levels_.back().first + levels_.back().kept),
        tiles_(rows_of_extremes(k, call, width, height, kept_)) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) {
      using T = decltype(type);
      const std::int64_t pitch = tiles_.pitch() + 4 * lanes<T>, c = tiles_.channels(), row_bytes = pitch * 4;
      const bool is_element = src.layout.element_bytes() == element_bytes<T>, is_same = is_element && src.layout.dtype == dst.layout.dtype;
      const bool is_aligned = is_element && src.layout.stride[0] % element_bytes<T> == 0, is_past = is_streamed(dst.layout);
      tiles_.run(dst.layout.images(), row_bytes + (kept_ + 3) * pitch * element_bytes<T>, [&](const Tile& t, const Scratch& memory) {
        T *spare = memory.as<T>(static_cast<std::size_t>(row_bytes)), *line = spare + pitch, *result = line + pitch, *rows = result + pitch;
        const Tiles::Inside all = tiles_.inside(src, t);
        const bool is_direct = is_aligned && all.pixels * c >= Joined<Op, T>::columns * lanes<T>;  // clamped: Apple's morphology knows no other edge
        const std::int64_t left = is_direct ? all.left * c : 0, right = is_direct ? all.right * c : 0, count = (t.width + width_ - 1) * c - left - right;
        std::vector<const T*> at;
        const auto place = [&](std::size_t level, std::int64_t y) -> const T* {
          if (level == 0 && is_direct) return tiles_.template inside_at<T>(src, t, y);
          return rows + (levels_[level].first + y % levels_[level].kept) * pitch;
        };
        const auto join = [&](T* to, std::int64_t elements, Goes goes) { Joined<Op, T>{at, {}, {}, {}}.to_row(elements, to, spare, goes); };
        for (std::int64_t y = 0; y < tiles_.rows_of(t); ++y) {
          if (!is_direct) tiles_.load_row(src, t, y, const_cast<T*>(place(0, y)));
          for (std::size_t i = 1; i < levels_.size() && y + 1 >= levels_[i].rows; ++i) {
            const std::int64_t first = y + 1 - levels_[i].rows;
            at.clear();
            for (std::int64_t j = 0; j < 4; ++j) at.push_back(place(i - 1, first + j * levels_[i - 1].rows));
            join(const_cast<T*>(place(i, first)), count, Goes::near);
          }
          const std::int64_t first = y + 1 - height_;
          if (first < 0) continue;
          const std::size_t last = levels_.size() - 1;
          at.clear();
          for (std::int64_t j = 0; j < height_; j += levels_[last].rows) at.push_back(place(last, first + std::min(j, height_ - levels_[last].rows)));
          join(line + left, count, Goes::near);
          for (std::int64_t i = left; i-- > 0;) line[i] = line[i + c];
          for (std::int64_t i = left + count; i < left + count + right; ++i) line[i] = line[i - c];
          std::int64_t span = 1, good = left + count + right;
          for (; width_ > 7 * span; span *= 4) {
            good -= 3 * span * c;
            fold_terms<4>(static_cast<const T*>(line), good, span * c, static_cast<const T*>(nullptr), line, Op{});
          }
          at.clear();
          for (std::int64_t i = 0; i < width_; i += span) at.push_back(line + std::min(i, width_ - span) * c);
          std::byte* const target = tiles_.row(dst, t, first);
          const ResultRow<T> row(target, t.width * c, is_same, is_past, result);
          join(row.to, t.width * c, row.goes);
          row.end(src, dst, memory.as<float>());
        }
        if (is_past) end_stream();
      });
    });
  }

 private:
  struct Level {
    std::int64_t rows, kept, first;  // of which its rows are extremes; how many of them are kept, from which place on
  };
  static std::vector<Level> levels_of(std::int64_t height) {
    std::vector<Level> levels;
    std::int64_t rows = 1, kept = 0;
    for (; height > 7 * rows; rows *= 4) levels.push_back({rows, 3 * rows + 1, kept}), kept += 3 * rows + 1;
    levels.push_back({rows, height - rows + 1, kept});
    return levels;
  }

  std::int64_t width_, height_;
  std::vector<Level> levels_;
  std::int64_t kept_;
  Tiles tiles_;
};

// Windows of which some places take part and the others do not: runs of neighbours in the rows of the window. A row of the source becomes
// one of extremes of the shortest runs, that one of the next longer; of each length as many are kept as the window finds between its first run of
// that length and its last. Floats may have two numbers in their windows: the places of the lower one may as well have the higher one, it
// is never better, and then these are runs too.
template <class Op>
class ShapePlan : public CpuPlan {
 public:
  ShapePlan(const image::UnaryKernel& k, const image::WindowValues& w, const std::vector<float>& numbers, const Call& call)
      : width_(w.width), height_(w.height), numbers_(numbers) {
    for (const float number : numbers) {
      if (&number != &numbers.front()) of_first_ = runs_.size();
      add_runs(w, number);
    }
    if (numbers.size() == 1) of_first_ = runs_.size();
    make_levels();
    tiles_.emplace(rows_of_extremes(k, call, w.width, w.height, kept()));
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    visit_ordered(src.layout.dtype, [&](auto type) {
      using T = decltype(type);
      const std::int64_t pitch = tiles_->pitch() + 4 * lanes<T>, c = tiles_->channels(), row_bytes = pitch * 4;
      const bool is_element = src.layout.element_bytes() == element_bytes<T>, is_same = is_element && src.layout.dtype == dst.layout.dtype;
      const bool is_aligned = is_element && src.layout.stride[0] % element_bytes<T> == 0, is_past = is_streamed(dst.layout);
      tiles_->run(dst.layout.images(), row_bytes + (kept() + 2) * pitch * element_bytes<T>, [&](const Tile& t, const Scratch& memory) {
        T *const spare = memory.as<T>(static_cast<std::size_t>(row_bytes)), *const result = spare + pitch, *const rows = result + pitch;
        const bool is_direct = is_aligned && tiles_->inside(src, t).left == 0 && tiles_->pixels_beyond(src, t) * c >= Joined<Op, T>::columns * lanes<T>;
        const auto place = [&](const Level& level, std::int64_t y) -> const T* {
          if (level.length == 1 && is_direct) return tiles_->template inside_at<T>(src, t, y);
          return rows + (level.place + y % level.kept) * pitch;
        };
        std::vector<const T*> at(runs_.size());
        for (std::int64_t y = 0; y < tiles_->rows_of(t); ++y) {
          if (!is_direct) tiles_->load_row(src, t, y, const_cast<T*>(place(levels_[0], y)));
          const std::int64_t first = y - height_ + 1;
          for (std::size_t i = 1; i < levels_.size(); ++i) {
            const Level& level = levels_[i];
            const std::int64_t row = first + level.last;
            if (row >= level.begin)
              fold_few(place(levels_[i - 1], row), (t.width + width_ - level.length) * c, level.terms, level.step * c, static_cast<const T*>(nullptr),
                       const_cast<T*>(place(level, row)), Op{});
          }
          if (first < 0) continue;
          for (std::size_t i = 0; i < runs_.size(); ++i) at[i] = place(levels_[runs_[i].level], first + runs_[i].y) + runs_[i].x * c;
          std::byte* const target = tiles_->row(dst, t, first);
          const std::span<const T* const> places(at);
          const ResultRow<T> row(target, t.width * c, is_same, is_past, result);
          const Joined<Op, T> joined{places.first(of_first_), places.subspan(of_first_), static_cast<T>(numbers_.front()), static_cast<T>(numbers_.back())};
          joined.to_row(t.width * c, row.to, spare, row.goes);
          row.end(src, dst, memory.as<float>());
        }
        if (is_past) end_stream();
      });
    });
  }

 private:
  struct Run {
    std::int64_t y, x, length;
    std::size_t level;
  };
  // Runs of one length: of `terms` of the length before, `step` places apart. While the window begins at row 0 the rows from `begin` on are made, up to `last`;
  // so many of the latest are kept, from `place` on.
  struct Level {
    std::int64_t length, terms, step, last = -1, begin = 0, kept = 1, place = 0;
  };

  void add_runs(const image::WindowValues& w, float number) {
    const auto takes_part = [&](std::int64_t y, std::int64_t x) { return x < w.width && w.at(y, x) <= number; };
    for (std::int64_t y = 0; y < w.height; ++y)
      for (std::int64_t x = 0; x < w.width; ++x) {
        if (!takes_part(y, x)) continue;
        Run run{y, x, 1, 0};
        while (takes_part(y, ++x)) ++run.length;
        runs_.push_back(run);
      }
  }
  std::int64_t kept() const { return levels_.back().place + levels_.back().kept; }
  void make_levels() {
    std::vector<std::int64_t> lengths;
    for (const Run& r : runs_) lengths.push_back(r.length);
    std::sort(lengths.begin(), lengths.end());
    levels_.push_back({1, 1, 0});
    for (const std::int64_t wanted : lengths)
      for (std::int64_t length; (length = levels_.back().length) < wanted;) {
        const std::int64_t terms = (wanted + length - 1) / length, more = wanted - length;
        if (terms > 5) levels_.push_back({4 * length, 4, length});
        else if (more % (terms - 1) == 0) levels_.push_back({wanted, terms, more / (terms - 1)});
        else levels_.push_back({2 * length, 2, length});
      }
    std::vector<std::int64_t> first(levels_.size(), height_);
    for (Run& r : runs_) {
      while (levels_[r.level].length < r.length) ++r.level;
      first[r.level] = std::min(first[r.level], r.y);
      levels_[r.level].last = std::max(levels_[r.level].last, r.y);
    }
    levels_[0].last = height_ - 1;
    // A row is made of one of the level before, which has to be there still.
    for (std::size_t i = levels_.size(); i-- > 0;) {
      Level& level = levels_[i];
      level.begin = first[i];
      std::int64_t oldest = first[i];
      if (i + 1 < levels_.size()) {
        const Level& next = levels_[i + 1];
        level.last = std::max(level.last, next.last);
        level.begin = std::min(first[i], next.begin);
        oldest = std::min(first[i], next.last);
      }
      level.kept = level.last - oldest + 1;
    }
    levels_[0].begin = 0;
    for (std::size_t i = 1; i < levels_.size(); ++i) levels_[i].place = levels_[i - 1].place + levels_[i - 1].kept;
  }

  std::int64_t width_, height_;
  std::vector<float> numbers_;
  std::vector<Run> runs_;  // of the first number, then of the second
  std::size_t of_first_ = 0;
  std::vector<Level> levels_;
  std::optional<Tiles> tiles_;
};

// Of a pixel and its number: the pixel less it, the largest counts; or the pixel and it, the smallest. Where all numbers are 0, pixels alone.
template <class T, bool is_dilation, bool is_flat>
struct Probe {
  using V = Vec<T>;
  static MPSKIT_INLINE V first() {
    constexpr T lowest = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity() : T{0};
    constexpr T highest = std::is_same_v<T, float> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    return (is_dilation ? lowest : highest) - V{};
  }
  static MPSKIT_INLINE V join(V a, V b) {
    if constexpr (is_dilation) return upper(a, b);
    else return lower(a, b);
  }
  static MPSKIT_INLINE V step(V best, T number, V pixel) {
    const V n = number - V{};
    if constexpr (is_flat) return join(best, pixel);
    else if constexpr (std::is_same_v<T, float>) return join(best, is_dilation ? pixel - n : pixel + n);
    else if constexpr (is_dilation) return join(best, upper(pixel, n) - n);  // not below 0
    else return join(best, pixel + lower(n, ~pixel));                        // not above 255
  }
};

// What meets no other number than its own: it leaves its place out. Codes lie in [0, 1], and the centre, whose number is 0, is never worse.
inline bool is_left_out(float number, DType t) { return number >= 1 && unit_of(t) > 1; }

template <bool is_dilation>
class ProbePlan : public CpuPlan {
 public:
  ProbePlan(const image::UnaryKernel& k, const image::WindowValues& w, const Call& call)
      : is_bytes_(fits_bytes(w, call)), is_flat_(true), tiles_(k, call, w.width, w.height, is_bytes_ ? 1 : 4, 24 << 10) {
    using Op = std::conditional_t<is_dilation, Upper, Lower>;
    constexpr std::size_t few = 16;  // places whose pixels are met one by one: runs pay later
    const DType t = call.inputs[0].dtype;
    std::vector<float> numbers;
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      if (is_left_out(w.values[i], t)) continue;
      const float number = w.values[i] * unit_of(t);
      const auto at = static_cast<std::int64_t>(i);
      places_.push_back({at / w.width, at % w.width, number, static_cast<std::uint8_t>(is_bytes_ ? std::nearbyint(number) : 0)});
      is_flat_ = is_flat_ && number == 0;
      if (std::find(numbers.begin(), numbers.end(), number) == numbers.end() && numbers.size() < 3) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    if (is_flat_ && places_.size() == w.values.size()) runs_ = std::make_unique<AreaPlan<Op>>(k, w.width, w.height, call);
    else if (places_.size() > few && (is_flat_ || (numbers.size() == 2 && unit_of(t) == 1))) runs_ = std::make_unique<ShapePlan<Op>>(k, w, numbers, call);
  }

  void run(std::span<const View> views) const override {
    if (runs_) return runs_->run(views);
    if (is_flat_) return visit_ordered(views[0].layout.dtype, [&](auto type) { run_in<decltype(type), true>(views[0], views[1]); });
    if (is_bytes_) run_in<std::uint8_t, false>(views[0], views[1]);
    else run_in<float, false>(views[0], views[1]);
  }

 private:
  struct Place {
    std::int64_t y, x;
    float code;
    std::uint8_t byte;
    template <class T>
    T number() const {
      if constexpr (std::is_same_v<T, float>) return code;
      else return byte;
    }
  };

  // Bytes hold every result exactly when each number is a whole code.
  static bool fits_bytes(const image::WindowValues& w, const Call& call) {
    if (call.inputs[0].dtype != DType::u8) return false;
    return std::all_of(w.values.begin(), w.values.end(), [](float v) {
      const float code = v * 255.0f;
      return v >= 1 || (v >= 0 && std::abs(code - std::nearbyint(code)) < 1e-4f);
    });
  }

  template <class T, bool is_flat>
  void run_in(const View& src, const View& dst) const {
    using V = Vec<T>;
    using P = Probe<T, is_dilation, is_flat>;
    constexpr int columns = 4;
    constexpr std::int64_t together = columns * lanes<T>;
    const bool is_element = src.layout.element_bytes() == element_bytes<T>, is_same = is_element && src.layout.dtype == dst.layout.dtype;
    const bool is_past = is_streamed(dst.layout);
    const std::int64_t tile_pitch = tiles_.pitch(), image_pitch = src.layout.row_bytes() / element_bytes<T>, c = tiles_.channels();
    const std::int64_t bytes = ((tiles_.source_rows() + 1) * tile_pitch + together) * element_bytes<T>;
    const auto row_bytes = static_cast<std::size_t>(tile_pitch + together) * 4;
    const auto offsets = [&](std::int64_t pitch) {
      std::vector<std::int64_t> at;
      for (const Place& p : places_) at.push_back(p.y * pitch + p.x * c);
      return at;
    };
    const std::vector<std::int64_t> in_tile = offsets(tile_pitch), in_image = offsets(image_pitch);
    tiles_.run(dst.layout.images(), bytes + 2 * static_cast<std::int64_t>(row_bytes), [&](const Tile& t, const Scratch& memory) {
      T *copy = memory.as<T>(2 * row_bytes), *row = memory.as<T>(row_bytes);
      const T* from = is_element ? tiles_.in_place<T>(src, t, together) : nullptr;
      const std::int64_t* const at = from ? in_image.data() : in_tile.data();
      const std::int64_t pitch = from ? image_pitch : tile_pitch;
      if (!from) tiles_.load(src, t, copy), from = copy;
      const std::int64_t count = t.width * c;
      for (std::int64_t y = 0; y < t.height; ++y) {
        std::byte* target = tiles_.row(dst, t, y);
        const ResultRow<T> result(target, count, is_same, is_past, row);
        for (std::int64_t x = 0; x < count; x += together) {
          V best[columns];
          for (V& v : best) v = P::first();
          for (std::size_t k = 0; k < places_.size(); ++k) {
            const T n = places_[k].template number<T>();
            const T* s = from + y * pitch + x + at[k];
            for (int i = 0; i < columns; ++i) best[i] = P::step(best[i], n, load<V>(s + i * lanes<T>));
          }
          const bool is_whole = result.goes == Goes::near || x + together <= count;
          T* out = is_whole ? result.to + x : row;
          for (int i = 0; i < columns; ++i)
            if (is_whole && result.goes == Goes::past) stream(out + i * lanes<T>, best[i]);
            else store(out + i * lanes<T>, best[i]);
          if (!is_whole) std::memcpy(result.to + x, row, static_cast<std::size_t>(count - x) * sizeof(T));
        }
        result.end(src, dst, memory.as<float>());
      }
      if (is_past) end_stream();
    });
  }

  bool is_bytes_, is_flat_;
  Tiles tiles_;
  std::vector<Place> places_;
  std::unique_ptr<CpuPlan> runs_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA

#include "cpu/image/blurred_rows.inl"
#include "cpu/simd/square_root.inl"

// Gradients are found by all threads; drawing looks at few pixels and goes through them in a fixed order, one thread a picture.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct EDLinesPixel {
  std::int32_t x, y;  // of the searched part
};
struct EDLinesPoint {
  double x, y;
};
struct EDLinesSegment {
  EDLinesPoint from, to;  // `from` is the upper end
  double length() const { return std::hypot(to.x - from.x, to.y - from.y); }
  static EDLinesSegment between(EDLinesPoint a, EDLinesPoint b) {
    if (b.y < a.y || (b.y == a.y && b.x < a.x)) std::swap(a, b);
    return {a, b};
  }
  double distance(EDLinesPoint p) const {
    const double l = length();
    return l == 0 ? std::hypot(p.x - from.x, p.y - from.y) : std::abs((to.x - from.x) * (p.y - from.y) - (to.y - from.y) * (p.x - from.x)) / l;
  }
};

// Least squares of the pixels that were added: the line through their mean along their largest spread.
class EDLinesFit {
 public:
  void add(const EDLinesPixel& p, double sign = 1) {
    const double x = p.x, y = p.y;
    n_ += sign;
    x_ += sign * x;
    y_ += sign * y;
    xx_ += sign * x * x;
    xy_ += sign * x * y;
    yy_ += sign * y * y;
  }
  // Mean square distance from the line. Sums are of whole numbers, so nothing drifts.
  double solve() {
    mean_ = {x_ / n_, y_ / n_};
    const double a = xx_ / n_ - mean_.x * mean_.x, b = xy_ / n_ - mean_.x * mean_.y, c = yy_ / n_ - mean_.y * mean_.y;
    const double half = (a - c) / 2, root = std::hypot(half, b);
    // The longer of two forms of the same direction.
    along_ = half >= 0 ? EDLinesPoint{half + root, b} : EDLinesPoint{b, root - half};
    const double norm = std::hypot(along_.x, along_.y);
    along_ = norm > 0 ? EDLinesPoint{along_.x / norm, along_.y / norm} : EDLinesPoint{1, 0};
    return std::max((a + c) / 2 - root, 0.0);
  }
  double distance(const EDLinesPixel& p) const { return std::abs((p.x - mean_.x) * along_.y - (p.y - mean_.y) * along_.x); }
  EDLinesPoint nearest(const EDLinesPixel& p) const {
    const double t = (p.x - mean_.x) * along_.x + (p.y - mean_.y) * along_.y;
    return {mean_.x + t * along_.x, mean_.y + t * along_.y};
  }

 private:
  double n_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0, yy_ = 0;
  EDLinesPoint mean_{}, along_{};
};

// The ends of lines, found by where they are: of thousands of lines few end near another one.
class EDLinesEnds {
 public:
  EDLinesEnds(const std::vector<EDLinesSegment>& lines, double reach) : side_(std::max(1.0, 1.001 * reach)) {  // a little more: divisions round
    for (std::size_t i = 0; i < lines.size(); ++i)
      for (const EDLinesPoint& p : {lines[i].from, lines[i].to}) ends_.push_back({row(p), column(p), static_cast<std::int64_t>(i)});
    std::sort(ends_.begin(), ends_.end());
  }
  // Adds the lines of which an end may lie within reach of p.
  void find(const EDLinesPoint& p, std::vector<std::size_t>& lines) const {
    for (std::int64_t y = row(p) - 1; y <= row(p) + 1; ++y) {
      const std::int64_t last = column(p) + 1;
      auto end = std::lower_bound(ends_.begin(), ends_.end(), End{y, column(p) - 1, 0});
      for (; end != ends_.end() && (*end)[0] == y && (*end)[1] <= last; ++end) lines.push_back(static_cast<std::size_t>((*end)[2]));
    }
  }

 private:
  using End = std::array<std::int64_t, 3>;  // row and column of its square, of those that the plane is cut into; its line
  std::int64_t row(const EDLinesPoint& p) const { return static_cast<std::int64_t>(std::floor(p.y / side_)); }
  std::int64_t column(const EDLinesPoint& p) const { return static_cast<std::int64_t>(std::floor(p.x / side_)); }
  double side_;
  std::vector<End> ends_;
};

class EDLinesPlan final : public CpuPlan {
 public:
  EDLinesPlan(const image::EDLines& k, const Call& call)
      : k_(k), rows_{gaussian_side(k.gaussian_sigma), EdgeMode::clamp, false, {}, 1}, part_(image::clip_window(k.clip_rect_source, call.inputs[0])),
        pitch_(rounded_up(part_.width, 16) + 16), images_(call.inputs[0].images()), error_(20 * static_cast<double>(k.line_error_threshold)),
        threshold_(k.gradient_threshold * unit_of(call.inputs[0].dtype)),
        locality_(static_cast<double>(k.merge_locality_threshold) * std::hypot(static_cast<double>(call.inputs[0].width()), static_cast<double>(call.inputs[0].height()))) {}

  void run(std::span<const View> views) const override {
    const std::int64_t pixels = pitch_ * part_.height, bytes = pixels * 5;
    const std::int64_t some = std::clamp<std::int64_t>((std::int64_t{128} << 20) / bytes, 1, images_);
    const Scratch memory(static_cast<std::size_t>(some * bytes));
    auto* magnitudes = memory.as<float>();
    auto* marks = memory.as<std::uint8_t>(static_cast<std::size_t>(some * pixels) * sizeof(float));
    constexpr std::int64_t band = 64;
    const std::int64_t bands = (part_.height + band - 1) / band;
    for (std::int64_t first = 0; first < images_; first += some) {
      const std::int64_t count = std::min(some, images_ - first);
      parallel_for(count * bands, (1 << 14) / (part_.width * band) + 1, [&](std::int64_t begin, std::int64_t end) {
        const Scratch row(sizeof(float) * static_cast<std::size_t>(GradientRows::floats(rows_, part_.width) + 3 * pitch_));
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t image = task / bands, y = task % bands * band, height = std::min(band, part_.height - y);
          differentiate(views[0], first + image, y, height, magnitudes + image * pixels, row.as<float>());
          std::memset(marks + image * pixels + y * pitch_, 0, static_cast<std::size_t>(height * pitch_));
        }
      });
      parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::vector<EDLinesSegment> lines = draw(magnitudes + i * pixels, marks + i * pixels);
          store_lines(lines, views[1], views[2], first + i);
        }
      });
      if (views.size() > 3)
        parallel_for(count * views[3].layout.height(), (1 << 17) / views[3].layout.width() + 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t task = begin; task < end; ++task)
            write_edges(marks + task / views[3].layout.height() * pixels, task % views[3].layout.height(), views[3], first + task / views[3].layout.height());
        });
    }
  }

 private:
  enum Mark : std::uint8_t { free, seen, drawn };  // bits

  // The magnitude of each pixel's gradient; negative where its edge runs down rather than across.
  void differentiate(const View& src, std::int64_t image, std::int64_t y, std::int64_t height, float* magnitudes, float* memory) const {
    using V = Vec<float>;
    using I = Vec<std::int32_t>;
    GradientRows rows(rows_, src, image, part_.x, part_.width, part_.y + y, memory);
    float* const own = memory + GradientRows::floats(rows_, part_.width);
    const GradientRow g{own, own + pitch_, own + 2 * pitch_};
    const I most = 0x7fffffff - I{};
    for (std::int64_t i = 0; i < height; ++i) {
      rows.next(g);
      float* to = magnitudes + (y + i) * pitch_;
      for (std::int64_t x = 0; x < part_.width; x += lanes<float>) {
        const V ax = (V)((I)load<V>(g.x + x) & most), ay = (V)((I)load<V>(g.y + x) & most);
        store(to + x, (V)((I)square_root(load<V>(g.square + x)) | ((I)(ax >= ay) & ~most)));
      }
    }
  }

  struct Picture {
    const float* magnitudes;
    std::uint8_t* marks;
    std::int64_t pitch;
    std::int32_t width, height;
    std::int64_t index(EDLinesPixel p) const { return p.y * pitch + p.x; }
    bool is_inside(EDLinesPixel p) const { return p.x >= 0 && p.y >= 0 && p.x < width && p.y < height; }
    float at(EDLinesPixel p) const { return is_inside(p) ? std::abs(magnitudes[index(p)]) : -1.0f; }
    bool runs_down(EDLinesPixel p) const { return std::signbit(magnitudes[index(p)]); }
  };

  std::vector<EDLinesSegment> draw(const float* magnitudes, std::uint8_t* marks) const {
    const Picture picture{magnitudes, marks, pitch_, static_cast<std::int32_t>(part_.width), static_cast<std::int32_t>(part_.height)};
    std::vector<EDLinesSegment> lines;
    std::vector<EDLinesPixel> chain, back;
    const auto begin_at = [&](EDLinesPixel p) {
      const float g = picture.at(p);
      if (!(g >= threshold_) || marks[picture.index(p)] != free) return;
      const EDLinesPixel step = picture.runs_down(p) ? EDLinesPixel{1, 0} : EDLinesPixel{0, 1};  // across the edge
      if (g < picture.at({p.x - step.x, p.y - step.y}) || g <= picture.at({p.x + step.x, p.y + step.y})) return;
      marks[picture.index(p)] = seen;
      back.clear();
      chain.clear();
      trace(picture, p, -1, back);
      chain.assign(back.rbegin(), back.rend());
      chain.push_back(p);
      trace(picture, p, 1, chain);
      // Where two pixels share the largest gradient, nothing is drawn along the other one too.
      for (const EDLinesPixel& q : chain) {
        const EDLinesPixel beside = picture.runs_down(q) ? EDLinesPixel{1, 0} : EDLinesPixel{0, 1};
        for (const EDLinesPixel& n : {EDLinesPixel{q.x - beside.x, q.y - beside.y}, EDLinesPixel{q.x + beside.x, q.y + beside.y}})
          if (picture.is_inside(n)) marks[picture.index(n)] |= seen;
      }
      if (static_cast<std::int64_t>(chain.size()) < k_.min_line_length) return;
      for (const EDLinesPixel& q : chain) marks[picture.index(q)] |= drawn;
      fit(chain, lines);
    };
    const auto ratio = static_cast<std::int32_t>(std::min<std::int64_t>(k_.detail_ratio, 65536));
    for (std::int32_t y = 0; y < picture.height; ++y)
      for (std::int32_t x = 0; x < picture.width; x += y % ratio == 0 ? 1 : ratio) begin_at({x, y});
    merge(lines);
    return lines;
  }

  // From p on along its edge; the sign says which way. An edge that turns goes on to the side where it leads.
  void trace(const Picture& picture, EDLinesPixel p, std::int32_t sign, std::vector<EDLinesPixel>& chain) const {
    bool is_down = picture.runs_down(p);
    EDLinesPixel step = is_down ? EDLinesPixel{0, sign} : EDLinesPixel{sign, 0};
    for (;;) {
      EDLinesPixel best{};
      float most = -1;
      for (const std::int32_t side : {0, -1, 1}) {
        const EDLinesPixel q = is_down ? EDLinesPixel{p.x + side, p.y + step.y} : EDLinesPixel{p.x + step.x, p.y + side};
        if (const float g = picture.at(q); g > most) {
          most = g;
          best = q;
        }
      }
      if (!(most >= threshold_) || picture.marks[picture.index(best)] != free) return;
      picture.marks[picture.index(best)] = seen;
      chain.push_back(best);
      const EDLinesPixel moved{best.x - p.x, best.y - p.y};
      p = best;
      if (const bool turned = picture.runs_down(p); turned != is_down) {
        is_down = turned;
        const std::int32_t led = is_down ? moved.y : moved.x;
        step = is_down ? EDLinesPixel{0, led} : EDLinesPixel{led, 0};
        if (led == 0) (is_down ? step.y : step.x) = towards(picture, p, is_down);
      }
    }
  }
  // To the side of the largest next gradient that nothing was drawn through.
  std::int32_t towards(const Picture& picture, EDLinesPixel p, bool is_down) const {
    const auto most = [&](std::int32_t way) {
      float m = -1;
      for (const std::int32_t side : {-1, 0, 1}) {
        const EDLinesPixel q = is_down ? EDLinesPixel{p.x + side, p.y + way} : EDLinesPixel{p.x + way, p.y + side};
        if (picture.is_inside(q) && picture.marks[picture.index(q)] == free) m = std::max(m, picture.at(q));
      }
      return m;
    };
    return most(1) >= most(-1) ? 1 : -1;
  }

  // Lines along a chain: from the first run of pixels that lie on one, as far as they do, and again behind it.
  void fit(const std::vector<EDLinesPixel>& chain, std::vector<EDLinesSegment>& lines) const {
    const std::size_t size = chain.size(), least = static_cast<std::size_t>(std::max<std::int64_t>(k_.min_line_length, 2));
    const double most = error_ * error_;
    for (std::size_t begin = 0; begin + least <= size;) {
      EDLinesFit line;
      std::size_t end = begin;
      for (; end < begin + least; ++end) line.add(chain[end]);
      while (line.solve() > most && end < size) {
        line.add(chain[begin++], -1);
        line.add(chain[end++]);
      }
      if (line.solve() > most) return;
      while (end < size) {
        EDLinesFit longer = line;
        longer.add(chain[end]);
        if (longer.solve() > most || longer.distance(chain[end]) > 2 * error_) break;
        line = longer;
        ++end;
      }
      line.solve();
      const EDLinesSegment s = EDLinesSegment::between(line.nearest(chain[begin]), line.nearest(chain[end - 1]));
      // Ends are centres of pixels, so a line of n of them is n - 1 long.
      if (s.length() + 1 >= static_cast<double>(k_.min_line_length)) lines.push_back(s);
      begin = end;
    }
  }

  void merge(std::vector<EDLinesSegment>& lines) const {
    const auto sort = [&] {
      const auto key = [](const EDLinesSegment& s) { return std::array{-s.length(), s.from.y, s.from.x, s.to.y, s.to.x}; };
      std::sort(lines.begin(), lines.end(), [&](const EDLinesSegment& a, const EDLinesSegment& b) { return key(a) < key(b); });
    };
    sort();
    const EDLinesEnds ends(lines, locality_);
    std::vector<bool> is_gone(lines.size());
    std::vector<std::size_t> near;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto takes_one = [&] {
        near.clear();
        ends.find(lines[i].from, near);
        ends.find(lines[i].to, near);
        std::sort(near.begin(), near.end());
        for (const std::size_t j : near) {
          if (j <= i || is_gone[j] || !joins(lines[i], lines[j])) continue;
          is_gone[j] = true;
          return true;
        }
        return false;
      };
      while (!is_gone[i] && takes_one()) {}  // the longer line may meet others
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (!is_gone[i]) lines[kept++] = lines[i];
    lines.resize(kept);
    sort();
  }
  bool joins(EDLinesSegment& a, const EDLinesSegment& b) const {
    double nearest = std::numeric_limits<double>::max();
    for (const EDLinesPoint& p : {a.from, a.to})
      for (const EDLinesPoint& q : {b.from, b.to}) nearest = std::min(nearest, std::hypot(p.x - q.x, p.y - q.y));
    if (nearest > locality_) return false;
    EDLinesSegment longest = a;
    for (const EDLinesPoint& p : {a.from, a.to})
      for (const EDLinesPoint& q : {b.from, b.to})
        if (const EDLinesSegment s = EDLinesSegment::between(p, q); s.length() > longest.length()) longest = s;
    for (const EDLinesPoint& p : {a.from, a.to, b.from, b.to})
      if (longest.distance(p) > error_) return false;
    a = longest;
    return true;
  }

  void store_lines(const std::vector<EDLinesSegment>& lines, const View& endpoints, const View& counts, std::int64_t image) const {
    const auto count = std::min<std::int64_t>(static_cast<std::int64_t>(lines.size()), k_.max_lines);
    reinterpret_cast<std::uint32_t*>(counts.data)[image] = static_cast<std::uint32_t>(count);
    const auto number = [](double v, std::int64_t origin, std::int64_t size) {
      return static_cast<std::uint16_t>(origin + std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(v + 0.5)), 0, size - 1));
    };
    for (std::int64_t i = 0; i < k_.max_lines; ++i) {
      auto* row = endpoints.row<std::uint16_t>(image, i);
      std::fill_n(row, 4, std::uint16_t{0});
      if (i >= count) continue;
      const EDLinesSegment& s = lines[static_cast<std::size_t>(i)];
      row[0] = number(s.from.x, part_.x, part_.width);
      row[1] = number(s.from.y, part_.y, part_.height);
      row[2] = number(s.to.x, part_.x, part_.width);
      row[3] = number(s.to.y, part_.y, part_.height);
    }
  }

  void write_edges(const std::uint8_t* marks, std::int64_t y, const View& dst, std::int64_t image) const {
    std::byte* to = dst.row<std::byte>(image, y);
    std::memset(to, 0, static_cast<std::size_t>(dst.layout.width() * dst.layout.element_bytes()));
    if (y < part_.y || y >= part_.y + part_.height) return;
    const std::uint8_t* row = marks + (y - part_.y) * pitch_;
    visit_pixels(dst.layout.dtype, [&]<class P>(P) {
      P* p = reinterpret_cast<P*>(to) + part_.x;
      for (std::int64_t x = 0; x < part_.width; ++x) p[x] = row[x] & drawn ? white<P> : P{};
    });
  }

  image::EDLines k_;
  GaussianRows rows_;
  image::Window part_;
  std::int64_t pitch_, images_;
  double error_;
  float threshold_;
  double locality_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::EDLines, EDLinesPlan)

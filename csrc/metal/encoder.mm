#include "metal/encoder.hpp"

#include "core/memory_plan.hpp"
#include "core/text.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

constexpr std::int64_t most_part_bytes = std::int64_t{256} << 20;  // of a batch that goes through textures at once

std::int64_t slices_of(const Layout& l) { return (l.channels() + 3) / 4; }

unsigned int element_format(DType t) {
  switch (t) {
    case DType::u8: return element_unorm8;
    case DType::u16: return element_unorm16;
    case DType::f16: return element_half;
    default: return element_float;
  }
}

TransferArguments arguments_of(const Place& place, const Layout& l) {
  TransferArguments a{};
  a.offset = place.offset;
  a.image_bytes = static_cast<unsigned long>(l.image_bytes());
  a.row_bytes = static_cast<unsigned long>(l.row_bytes());
  a.format = element_format(l.dtype);
  a.channels = static_cast<unsigned int>(l.channels());
  a.width = static_cast<unsigned int>(l.width());
  a.height = static_cast<unsigned int>(l.height());
  a.last_channel = a.channels;
  a.slices = static_cast<unsigned int>(slices_of(l));
  return a;
}

MTLSize grid_of(const TransferArguments& a) { return MTLSizeMake(a.width, a.height, NSUInteger{a.images} * a.slices); }

// [first, first + count) within [0, size); nothing may lie outside.
std::int64_t clipped(std::int64_t first, std::int64_t count, std::int64_t size) { return std::min(count, size - first); }

}  // namespace

Encoder::Encoder(const Context& context, SheetPool& sheets, id<MTLCommandBuffer> commands, const Submission& s)
    : context_(context), sheets_(sheets), commands_(commands), temporaries_(s.temporaries.size()) {
  if (s.temporaries.empty()) return;
  std::vector<Lifetime> lives(temporaries_.size());
  for (std::size_t w = 0; w < s.works.size(); ++w) {
    for (const Operand& operand : s.works[w].operands) {
      if (!operand.temporary) continue;
      const Layout& l = operand.temporary->layout;
      Temporary& t = temporaries_[operand.temporary->index];
      Lifetime& life = lives[operand.temporary->index];
      t.is_picture = l.kind == Kind::image && l.images() * slices_of(l) <= Context::most_layers;
      t.last_work = w;
      if (life.first > life.last) life = {t.is_picture ? 0 : static_cast<std::size_t>(l.span_bytes()), w, w};
      life.last = w;
    }
  }
  const MemoryPlan plan = plan_memory(lives);
  for (std::size_t i = 0; i < temporaries_.size(); ++i) temporaries_[i].offset = plan.offsets[i];
  bytes_ = plan.bytes;
}

// ---- operands
Encoder::Temporary* Encoder::picture_of(const Operand& image) {
  if (!image.temporary) return nullptr;
  Temporary& t = temporaries_[image.temporary->index];
  return t.is_picture ? &t : nullptr;
}

Place Encoder::place(const Operand& operand) {
  if (operand.temporary) return {block_.get(), temporaries_[operand.temporary->index].offset};
  const BufferView view = context_.view(*operand.storage);
  return {view.buffer.get(), view.lead + static_cast<std::size_t>(operand.offset)};
}

MPSMatrix* Encoder::matrix(const Operand& operand, std::int64_t first, std::int64_t count) {
  const Layout& l = operand.layout;
  const Place p = place(operand);
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:static_cast<NSUInteger>(l.rows())
                                                                 columns:static_cast<NSUInteger>(l.columns())
                                                                matrices:static_cast<NSUInteger>(count)
                                                                rowBytes:static_cast<NSUInteger>(l.row_bytes())
                                                             matrixBytes:static_cast<NSUInteger>(count > 1 ? l.matrix_bytes() : l.rows() * l.row_bytes())
                                                                dataType:data_type(l.dtype)];
  return keep(adopt([[MPSMatrix alloc] initWithBuffer:p.buffer offset:p.offset + static_cast<NSUInteger>(first * l.matrix_bytes()) descriptor:d]));
}

MPSVector* Encoder::vector(const Operand& operand, std::int64_t first, std::int64_t count) {
  const Layout& l = operand.layout;
  const Place p = place(operand);
  MPSVectorDescriptor* d = [MPSVectorDescriptor vectorDescriptorWithLength:static_cast<NSUInteger>(l.length())
                                                                   vectors:static_cast<NSUInteger>(count)
                                                               vectorBytes:static_cast<NSUInteger>(l.vector_bytes())
                                                                  dataType:data_type(l.dtype)];
  return keep(adopt([[MPSVector alloc] initWithBuffer:p.buffer offset:p.offset + static_cast<NSUInteger>(first * l.vector_bytes()) descriptor:d]));
}

// ---- images on buffers
bool Encoder::is_linear(const Place& p, const Layout& l) const {
  if (!context_.has_linear_textures() || l.channels() == 3 || l.channels() > 4) return false;
  const NSUInteger a = context_.linear_alignment(pixel_format(l.dtype, l.channels()));
  const auto fits = [a](std::size_t bytes) { return bytes % a == 0; };
  if (!fits(p.offset) || !fits(static_cast<std::size_t>(l.row_bytes()))) return false;
  if (l.images() > 1 && !fits(static_cast<std::size_t>(l.image_bytes()))) return false;
  // Metal may want the padding of the last row too.
  return p.offset + static_cast<std::size_t>((l.images() - 1) * l.image_bytes() + l.height() * l.row_bytes()) <= [p.buffer length];
}

id<MTLTexture> Encoder::linear(const Place& p, const Layout& l, std::int64_t image) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:pixel_format(l.dtype, l.channels())
                                                                               width:static_cast<NSUInteger>(l.width())
                                                                              height:static_cast<NSUInteger>(l.height())
                                                                           mipmapped:NO];
  d.storageMode = [p.buffer storageMode];
  d.cpuCacheMode = [p.buffer cpuCacheMode];
  d.hazardTrackingMode = [p.buffer hazardTrackingMode];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  auto texture = adopt([p.buffer newTextureWithDescriptor:d
                                                   offset:p.offset + static_cast<NSUInteger>(image * l.image_bytes())
                                              bytesPerRow:static_cast<NSUInteger>(l.row_bytes())]);
  if (!texture) throw DeviceError(cat(context_.info().name, " made no texture on the bytes of ", l.describe(), "; it may be out of memory. Pass device=\"cpu\"."));
  return keep(std::move(texture));
}

// ---- images in textures
std::int64_t Encoder::images_at_once(const Layout& l) {
  const std::int64_t slices = slices_of(l), texels = l.height() * l.width() * slices;
  const std::int64_t bytes = texels * l.element_bytes() * std::min<std::int64_t>(l.channels(), 4);
  return std::max<std::int64_t>(1, std::min(Context::most_layers / slices, most_part_bytes / std::max<std::int64_t>(bytes, 1)));
}

std::shared_ptr<Sheet> Encoder::sheet_of(const Operand& image, Images images, const Written* written) {
  const Layout& l = image.layout;
  const auto make = [&] { return sheets_.take(pixel_format(l.dtype, l.channels()), l.width(), l.height(), images.count * slices_of(l)); };
  if (Temporary* t = picture_of(image)) {
    if (!t->sheet) {
      images = {0, l.images()};
      t->sheet = make();
    }
    return t->sheet;
  }
  lent_.push_back(make());
  if (written) pending_.push_back({lent_.back(), image, images, *written});
  else load(*lent_.back(), image, images);
  return lent_.back();
}

Encoder::Slices Encoder::slices(const Operand& image, Images images, const Written* written) {
  const Layout& l = image.layout;
  Slices out;
  if (!picture_of(image)) {
    if (const Place p = place(image); is_linear(p, l)) {
      for (std::int64_t i = 0; i < images.count; ++i) out.push_back(linear(p, l, images.first + i));
      return out;
    }
  }
  Sheet& sheet = *sheet_of(image, images, written);
  const std::int64_t begin = picture_of(image) ? images.first * slices_of(l) : 0;
  for (std::int64_t i = 0; i < images.count * slices_of(l); ++i) out.push_back(sheet.slice(begin + i));
  return out;
}

id<MTLTexture> Encoder::whole(const Operand& image, const Written* written) {
  if (!picture_of(image) && image.layout.images() == 1)
    if (const Place p = place(image); is_linear(p, image.layout)) return linear(p, image.layout, 0);
  return sheet_of(image, {0, image.layout.images()}, written)->texture.get();
}

MPSImage* Encoder::wrap(id<MTLTexture> texture, const Layout& l) {
  return keep(adopt([[MPSImage alloc] initWithTexture:texture featureChannels:static_cast<NSUInteger>(l.channels())]));
}
MPSImage* Encoder::source(const Operand& image) { return wrap(whole(image, nullptr), image.layout); }
MPSImage* Encoder::target(const Operand& image, const Written& written) { return wrap(whole(image, &written), image.layout); }

// ---- copies
void Encoder::load(const Sheet& sheet, const Operand& source, Images images) {
  const Place p = place(source);
  TransferArguments a = arguments_of(p, source.layout);
  a.first_image = static_cast<unsigned int>(images.first);
  a.images = static_cast<unsigned int>(images.count);
  compute(sheet.layers == 1 ? "load_picture" : "load_pictures", p.buffer, {sheet.texture.get()}, a, grid_of(a));
}

void Encoder::store(const Pending& s) {
  const Layout& l = s.target.layout;
  const Written& w = s.written;
  const Place p = place(s.target);
  TransferArguments a = arguments_of(p, l);
  a.x = static_cast<unsigned int>(w.x);
  a.y = static_cast<unsigned int>(w.y);
  a.width = static_cast<unsigned int>(clipped(w.x, w.width, l.width()));
  a.height = static_cast<unsigned int>(clipped(w.y, w.height, l.height()));
  a.first_channel = static_cast<unsigned int>(w.first_channel);
  a.last_channel = a.first_channel + static_cast<unsigned int>(clipped(w.first_channel, w.channels, l.channels()));
  const std::int64_t first = std::max(w.first_image, s.images.first);
  const std::int64_t last = std::min(w.first_image + clipped(w.first_image, w.images, l.images()), s.images.first + s.images.count);
  if (first >= last) return;
  a.first_image = static_cast<unsigned int>(first);
  a.images = static_cast<unsigned int>(last - first);
  a.first_layer = static_cast<unsigned int>((first - s.images.first) * slices_of(l));
  compute(s.sheet->layers == 1 ? "store_picture" : "store_pictures", p.buffer, {s.sheet->texture.get()}, a, grid_of(a));
}

void Encoder::store(MPSImage* image, const Operand& target) {
  const Layout& l = target.layout;
  id<MTLTexture> texture = [image texture];
  const bool is_array = [texture textureType] == MTLTextureType2DArray;
  if (picture_of(target)) {
    const CopyArguments a{static_cast<unsigned int>(l.width()), static_cast<unsigned int>(l.height()),
                          static_cast<unsigned int>(l.images() * slices_of(l))};
    id<MTLTexture> to = sheet_of(target, {0, l.images()}, nullptr)->texture.get();
    compute(is_array ? "copy_pictures" : "copy_picture", nil, {texture, to}, a, MTLSizeMake(a.width, a.height, a.layers));
    return;
  }
  const Place p = place(target);
  TransferArguments a = arguments_of(p, l);
  a.images = static_cast<unsigned int>(l.images());
  compute(is_array ? "store_pictures" : "store_picture", p.buffer, {texture}, a, grid_of(a));
}

void Encoder::compute(const char* function, id<MTLBuffer> buffer, Textures textures, const void* arguments, std::size_t bytes,
                      MTLSize grid) {
  if (grid.width == 0 || grid.height == 0 || grid.depth == 0) return;
  const auto pipeline = context_.pipeline(function);
  const NSUInteger width = [pipeline.get() threadExecutionWidth];
  const NSUInteger most = std::min<NSUInteger>([pipeline.get() maxTotalThreadsPerThreadgroup], 256);
  const MTLSize group = MTLSizeMake(width, std::max<NSUInteger>(most / width, 1), 1);
  id<MTLComputeCommandEncoder> encoder = [commands_ computeCommandEncoder];
  if (!encoder) throw DeviceError(cat(context_.info().name, " made no encoder for ", function, "."));
  encoder.label = to_ns(function);
  [encoder setComputePipelineState:pipeline.get()];
  if (buffer) [encoder setBuffer:buffer offset:0 atIndex:0];
  [encoder setBytes:arguments length:bytes atIndex:1];
  NSUInteger index = 0;
  for (id<MTLTexture> texture : textures) [encoder setTexture:texture atIndex:index++];
  [encoder dispatchThreadgroups:MTLSizeMake((grid.width + group.width - 1) / group.width, (grid.height + group.height - 1) / group.height, grid.depth)
          threadsPerThreadgroup:group];
  [encoder endEncoding];
}

// ---- ends
void Encoder::finish() {
  for (const Pending& p : pending_) store(p);
  pending_.clear();
  for (std::shared_ptr<Sheet>& sheet : lent_) sheets_.give(std::move(sheet));
  lent_.clear();
}

void Encoder::finish_work(std::size_t index) {
  finish();
  for (Temporary& t : temporaries_)
    if (t.sheet && t.last_work == index) sheets_.give(std::move(t.sheet));
}

}  // namespace mpskit::metal

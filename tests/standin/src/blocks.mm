// A blocks runtime after the published block ABI. Debian's neither retains captured objects nor makes blocks objects.
#import <Foundation/Foundation.h>

#include <Block.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

enum : int { count_mask = 0xffff, needs_free = 1 << 24, has_copy_dispose = 1 << 25, is_global = 1 << 28 };
enum : int { field_block = 7, field_object = 3, field_byref = 8, byref_caller = 128 };

struct Descriptor {
  unsigned long reserved, size;
  void (*copy)(void*, const void*);
  void (*dispose)(const void*);
};
struct Literal {
  void* isa;
  int flags;
  int reserved;
  void (*invoke)(void*, ...);
  Descriptor* descriptor;
};
struct Byref {  // a __block variable
  void* isa;
  Byref* forwarding;
  int flags;
  int size;
  void (*keep)(void*, void*);
  void (*destroy)(void*);
};

Literal* literal(const void* block) { return static_cast<Literal*>(const_cast<void*>(block)); }
Byref* byref(const void* variable) { return static_cast<Byref*>(const_cast<void*>(variable)); }
int load(int& flags) { return __atomic_load_n(&flags, __ATOMIC_ACQUIRE); }
int add(int& flags, int by) { return __atomic_add_fetch(&flags, by, __ATOMIC_ACQ_REL) & count_mask; }

Byref* copy_byref(Byref* source) {
  Byref* from = source->forwarding;
  const int flags = load(from->flags);
  if (flags & needs_free) {
    add(from->flags, 1);
  } else if ((flags & count_mask) == 0) {
    auto* to = static_cast<Byref*>(std::malloc(static_cast<std::size_t>(from->size)));
    const bool has_helpers = flags & has_copy_dispose;
    std::memcpy(to, from, has_helpers ? sizeof(Byref) : static_cast<std::size_t>(from->size));
    to->isa = nullptr;
    to->flags = flags | needs_free | 2;  // the caller's reference and the stack's
    to->forwarding = from->forwarding = to;
    if (has_helpers) to->keep(to, from);
  }
  return source->forwarding;
}

void release_byref(Byref* variable) {
  variable = variable->forwarding;
  if (!(load(variable->flags) & needs_free) || add(variable->flags, -1) != 0) return;
  if (variable->flags & has_copy_dispose) variable->destroy(variable);
  std::free(variable);
}

}  // namespace

// Blocks on the stack and global ones: only a copy lives on.
@interface StandinStackBlock : NSObject
@end
@interface StandinGlobalBlock : StandinStackBlock
@end
@interface StandinMallocBlock : NSObject
@end
asm(".globl _NSConcreteStackBlock\n.set _NSConcreteStackBlock,_OBJC_CLASS_StandinStackBlock\n"
    ".globl _NSConcreteGlobalBlock\n.set _NSConcreteGlobalBlock,_OBJC_CLASS_StandinGlobalBlock\n");

@implementation StandinStackBlock
- (id)copyWithZone:(NSZone*)zone {
  (void)zone;
  return (id)_Block_copy(self);
}
- (id)copy {
  return (id)_Block_copy(self);
}
- (id)retain {
  return self;
}
- (oneway void)release {
}
- (id)autorelease {
  return self;
}
- (NSUInteger)retainCount {
  return 1;
}
@end
@implementation StandinGlobalBlock
@end
@implementation StandinMallocBlock
- (id)copyWithZone:(NSZone*)zone {
  (void)zone;
  return (id)_Block_copy(self);
}
- (id)copy {
  return (id)_Block_copy(self);
}
- (id)retain {
  return (id)_Block_copy(self);
}
- (oneway void)release {
  _Block_release(self);
}
- (NSUInteger)retainCount {
  return static_cast<NSUInteger>(load(literal(self)->flags) & count_mask);
}
@end

extern "C" {
void* _Block_copy(const void* block) {
  Literal* b = literal(block);
  if (!b || (b->flags & is_global)) return b;
  if (load(b->flags) & needs_free) {
    add(b->flags, 1);
    return b;
  }
  auto* copy = static_cast<Literal*>(std::malloc(b->descriptor->size));
  std::memcpy(copy, b, b->descriptor->size);
  copy->flags = (b->flags & ~count_mask) | needs_free | 1;
  copy->isa = (void*)[StandinMallocBlock class];
  if (b->flags & has_copy_dispose) b->descriptor->copy(copy, b);
  return copy;
}
void _Block_release(const void* block) {
  Literal* b = literal(block);
  if (!b || (b->flags & is_global) || !(load(b->flags) & needs_free) || add(b->flags, -1) != 0) return;
  if (b->flags & has_copy_dispose) b->descriptor->dispose(b);
  std::free(b);
}
void _Block_object_assign(void* destination, const void* object, const int flags) {
  const void*& to = *static_cast<const void**>(destination);
  to = object;
  if (flags & byref_caller) return;
  if (flags & field_byref) {
    to = copy_byref(byref(object));
  } else if ((flags & field_block) == field_block) {
    to = _Block_copy(object);
  } else if ((flags & field_object) == field_object) {
    [(id)object retain];
  }
}
void _Block_object_dispose(const void* object, const int flags) {
  if (flags & byref_caller) return;
  if (flags & field_byref) {
    release_byref(byref(object));
  } else if ((flags & field_block) == field_block) {
    _Block_release(object);
  } else if ((flags & field_object) == field_object) {
    [(id)object release];
  }
}
}

// What of CoreFoundation the colour spaces need. Its objects are no Objective-C objects here.
#pragma once

typedef const void* CFTypeRef;
typedef const struct StandinString* CFStringRef;

extern "C" CFTypeRef _Nonnull CFRetain(CFTypeRef _Nonnull object);
extern "C" void CFRelease(CFTypeRef _Nonnull object);

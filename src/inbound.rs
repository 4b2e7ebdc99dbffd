//! One letter's whole way in, top to bottom: kept, read, judged, decided, answered. Read this first.

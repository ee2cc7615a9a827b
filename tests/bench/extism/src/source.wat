;; A release source as an Extism plugin: it asks for the setting `file`, reads
;; the Releasefile, looks into Releasefile.d, and answers with what it read. It
;; does less than Shipway's example, which also takes the lines apart.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/user" "settings_get" (func $settings_get (param i64) (result i64)))
  (import "extism:host/user" "source_read" (func $source_read (param i64) (result i64)))
  (import "extism:host/user" "source_find" (func $source_find (param i64) (result i64)))
  ;; As much as a small Rust guest has.
  (memory 17)
  (data (i32.const 0) "file")
  (data (i32.const 16) "Releasefile")
  (data (i32.const 32) "Releasefile.d/*")

  ;; The input, copied to 65536, eight bytes at a time as Extism's kits do it.
  (func $take_input (local $at i64) (local $end i64)
    (local.set $end (call $input_length))
    (block $whole
      (loop $more
        (br_if $whole (i64.gt_u (i64.add (local.get $at) (i64.const 8)) (local.get $end)))
        (i64.store (i32.add (i32.const 65536) (i32.wrap_i64 (local.get $at)))
          (call $input_load_u64 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 8)))
        (br $more)))
    (block $done
      (loop $rest
        (br_if $done (i64.ge_u (local.get $at) (local.get $end)))
        (i32.store8 (i32.add (i32.const 65536) (i32.wrap_i64 (local.get $at)))
          (call $input_load_u8 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $rest))))

  ;; A text of ours, handed to the host.
  (func $give (param $from i32) (param $size i32) (result i64)
    (local $to i64) (local $at i32)
    (local.set $to (call $alloc (i64.extend_i32_u (local.get $size))))
    (block $whole
      (loop $more
        (br_if $whole (i32.gt_u (i32.add (local.get $at) (i32.const 8)) (local.get $size)))
        (call $store_u64 (i64.add (local.get $to) (i64.extend_i32_u (local.get $at)))
          (i64.load (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $more)))
    (block $done
      (loop $rest
        (br_if $done (i32.ge_u (local.get $at) (local.get $size)))
        (call $store_u8 (i64.add (local.get $to) (i64.extend_i32_u (local.get $at)))
          (i32.load8_u (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $rest)))
    (local.get $to))

  ;; A text of the host's, copied to 131072; says how long it is.
  (func $take (param $from i64) (result i32) (local $at i64) (local $end i64)
    (local.set $end (call $length (local.get $from)))
    (block $whole
      (loop $more
        (br_if $whole (i64.gt_u (i64.add (local.get $at) (i64.const 8)) (local.get $end)))
        (i64.store (i32.add (i32.const 131072) (i32.wrap_i64 (local.get $at)))
          (call $load_u64 (i64.add (local.get $from) (local.get $at))))
        (local.set $at (i64.add (local.get $at) (i64.const 8)))
        (br $more)))
    (block $done
      (loop $rest
        (br_if $done (i64.ge_u (local.get $at) (local.get $end)))
        (i32.store8 (i32.add (i32.const 131072) (i32.wrap_i64 (local.get $at)))
          (call $load_u8 (i64.add (local.get $from) (local.get $at))))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br $rest)))
    (i32.wrap_i64 (local.get $end)))

  (func (export "collect") (result i32) (local $size i32)
    (call $take_input)
    (drop (call $take (call $settings_get (call $give (i32.const 0) (i32.const 4)))))
    (drop (call $take (call $source_find (call $give (i32.const 32) (i32.const 15)))))
    (local.set $size
      (call $take (call $source_read (call $give (i32.const 16) (i32.const 11)))))
    (call $output_set
      (call $give (i32.const 131072) (local.get $size))
      (i64.extend_i32_u (local.get $size)))
    (i32.const 0)))

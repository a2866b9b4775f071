import { counter, gauge, type MetricDefinition } from './definition.ts';

/** What compression counts; part of `metricNames`. */
export const compressionMetrics = {
  compressedResponses: counter(
    'portico_compressed_responses_total',
    'Responses sent compressed by Portico, by coding (`zstd`, `br`, `gzip`) and way: `stream` while they were sent, `stored` once for many.',
    'coding',
    'way',
  ),
  compressionBytesIn: counter(
    'portico_compression_input_bytes_total',
    'Bytes of the bodies of those responses before they were compressed.',
    'coding',
    'way',
  ),
  compressionBytesOut: counter(
    'portico_compression_output_bytes_total',
    'Bytes of the bodies of those responses as compressed.',
    'coding',
    'way',
  ),
  compressionSkipped: counter(
    'portico_compression_skipped_total',
    'Responses that went out as they were although the client takes compressed ones, by reason: `busy` (no memory, or no thread), `cookies`, `no_transform`, `range`.',
    'reason',
  ),
  compressionMemory: gauge('portico_compression_memory_bytes', 'Memory held for responses being compressed.'),
  compressionQueue: gauge('portico_compression_queue', 'Bodies that wait to be compressed once, or are being.'),
  compressionFormBytes: gauge(
    'portico_compression_form_bytes',
    'Memory held by the compressed forms of cached responses.',
  ),
  compressionForms: counter(
    'portico_compression_forms_total',
    'Bodies to be compressed once, by coding and result: `made`, `useless` (not smaller), `refused` (the queue was full), `failed`.',
    'coding',
    'result',
  ),
} as const satisfies Record<string, MetricDefinition>;

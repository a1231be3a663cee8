/** The index that another is spliced from went missing, or what says where its charts are is damaged: one is built anew. */
export class IndexLost extends Error {
  override readonly name = 'IndexLost';
}

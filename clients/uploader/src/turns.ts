/** Tasks one after another, as questions that share a dialog: the answer to one must not count for the next. */
export class Turns {
  #before: Promise<unknown> = Promise.resolve();

  /** Run it once all earlier ones have settled. */
  take<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#before.then(run);
    this.#before = answer.catch(() => {});
    return answer;
  }
}

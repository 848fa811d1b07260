/*
 * A short talk to practise: what the student says, what the teacher may answer, and what a coach thinks of it. It runs in the page
 * with all its ways and remarks, so it certifies nothing; graded conversations run on the server.
 */
var H5P = window.H5P || {};

H5P.XinqiaoConversation = (function (base) {
  'use strict';

  var el = base.el;
  var letters = 'abcdefghijklmnopqrstuvwxyz';

  var builtIn = {
    'zh-CN': {
      turn: '第 :at 轮',
      you: '您',
      student: '学生',
      choose: '您会怎么说？',
      helps: '这样说，帮到了学生',
      partly: '有帮助，还可以更好',
      hinders: '这样说，学生可能会退回去',
      coach: '教练',
      next: '继续',
      toEnd: '看看这次谈话',
      retry: '换一种说法',
      end: '谈话结束',
      endText: '这是练习，不计入成绩。下面是您走过的这条路和教练的话。',
      again: '从头再练一次',
      talk: '对话',
    },
    en: {
      turn: 'Turn :at',
      you: 'You',
      student: 'Student',
      choose: 'What would you say?',
      helps: 'That helped',
      partly: 'Helpful, and could be better',
      hinders: 'That may close the door',
      coach: 'Coach',
      next: 'Go on',
      toEnd: 'Look back at the talk',
      retry: 'Say it another way',
      end: 'The talk is over',
      endText:
        'This was practice and counts towards nothing. Here is the way you took, with the coach’s remarks.',
      again: 'Practise once more',
      talk: 'Conversation',
    },
  };

  function Conversation(params, contentId, extras) {
    base.begin(this, 'H5P.XinqiaoConversation', params, contentId);
    this.turns = params.turns || [];
    this.say = base.words(params, builtIn);
    this.restore((extras && extras.previousState) || {});
  }

  base.contentType(Conversation);

  Conversation.prototype.find = function (id) {
    return this.turns.filter(function (turn) {
      return turn.id === id;
    })[0];
  };

  /**
   * `way` is what was said: the turn's id, and the choice by its place. `remarked` is whether the last of it still shows its remark.
   * A way that the content no longer has is taken up where it still leads.
   */
  Conversation.prototype.restore = function (saved) {
    this.way = [];
    var turn = this.turns[0];
    var said = saved.way || [];
    for (var step = 0; step < said.length && turn; step += 1) {
      var choice = (turn.choices || [])[said[step].choice];
      if (said[step].turn !== turn.id || !choice) break;
      this.way.push({ turn: turn.id, choice: said[step].choice });
      turn = this.after(choice);
    }
    this.remarked = this.way.length > 0 && (!!saved.remarked || this.way.length < said.length);
    this.completed = !!saved.completed;
  };

  /** A talk goes forward: it comes to an end where no turn is named, and where one is named that does not come later. */
  Conversation.prototype.after = function (choice) {
    var next = choice.next ? this.find(choice.next) : undefined;
    var owner = this.turns.filter(function (turn) {
      return (turn.choices || []).indexOf(choice) >= 0;
    })[0];
    return next && this.turns.indexOf(next) > this.turns.indexOf(owner) ? next : undefined;
  };

  Conversation.prototype.last = function () {
    var step = this.way[this.way.length - 1];
    return step && this.find(step.turn).choices[step.choice];
  };

  /** The turn that is to be answered; undefined at the end. */
  Conversation.prototype.turn = function () {
    return this.way.length ? this.after(this.last()) : this.turns[0];
  };

  Conversation.prototype.attach = function ($container) {
    $container.addClass('h5p-xinqiao-conversation');
    this.counter = el('p', { class: 'xq-count', role: 'status', 'data-xq': 'count' });
    this.body = el('div', { class: 'xq-body' });
    $container[0].appendChild(
      el(
        'div',
        { class: 'xq xq-conversation', lang: base.languageOf(this.params), 'data-xinqiao': 'conversation' },
        [
          el('div', { class: 'xq-top' }, [
            el('p', { class: 'xq-top-title', text: this.params.title }),
            this.counter,
          ]),
          this.body,
          el('div', { class: 'xq-foot' }, [base.helpPanel(this.params.help)]),
        ],
      ),
    );
    this.setActivityStarted();
    this.show();
  };

  Conversation.prototype.show = function () {
    this.body.textContent = '';
    if (this.remarked) this.showRemark();
    else if (this.turn()) this.showTurn(this.turn());
    else this.showEnd();
    this.trigger('resize');
  };

  Conversation.prototype.moveOn = function () {
    this.show();
    base.moveTo(this.heading);
    base.saveSoon(this);
  };

  Conversation.prototype.studentName = function () {
    return this.params.student || this.say('student');
  };

  /** Lines of the talk so far, up to a number of steps. */
  Conversation.prototype.talk = function (steps, remarks) {
    var self = this;
    var lines = [];
    function line(role, speaker, text, note) {
      lines.push(
        el('li', { class: 'xq-line xq-line-' + role }, [
          el('span', { class: 'xq-speaker', text: speaker }),
          el('p', { class: 'xq-words', text: text }),
          note || null,
        ]),
      );
    }
    function student(turn) {
      if (turn.narration) lines.push(el('li', { class: 'xq-narration', text: turn.narration }));
      if (turn.words) line('student', self.studentName(), turn.words);
    }
    this.way.slice(0, steps).forEach(function (step) {
      var turn = self.find(step.turn);
      var choice = turn.choices[step.choice];
      student(turn);
      line('teacher', self.say('you'), choice.text, remarks ? self.remark(choice) : null);
    });
    return {
      add: student,
      node: function () {
        return el('ul', { class: 'xq-talk', 'aria-label': self.say('talk') }, lines);
      },
    };
  };

  Conversation.prototype.remark = function (choice) {
    var worth = choice.worth || 'partly';
    var look = { helps: 'xq-good', partly: 'xq-warn', hinders: 'xq-bad' }[worth];
    return el('div', { class: 'xq-feedback ' + look }, [
      el('p', { class: 'xq-feedback-title' }, [
        base.icon(worth === 'helps' ? 'check' : worth === 'partly' ? 'tip' : 'caution'),
        this.say(worth),
      ]),
      choice.remark ? el('p', { text: choice.remark }) : null,
    ]);
  };

  Conversation.prototype.showTurn = function (turn) {
    var self = this;
    this.started = Date.now();
    this.counter.textContent = this.say('turn', { at: this.way.length + 1 });
    if (!this.way.length && this.params.intro)
      this.body.appendChild(base.rich(this.params.intro, 'xq-intro'));
    var talk = this.talk(this.way.length);
    talk.add(turn);
    this.heading = el('h2', { class: 'xq-ask', tabindex: '-1', text: this.say('choose') });
    [
      talk.node(),
      this.heading,
      el(
        'div',
        { class: 'xq-choices', role: 'group', 'aria-label': this.say('choose') },
        (turn.choices || []).map(function (choice, at) {
          return el('button', {
            type: 'button',
            class: 'xq-choice',
            'data-choice': letters[at],
            text: choice.text,
            on: {
              click: function () {
                self.choose(turn, at);
              },
            },
          });
        }),
      ),
    ].forEach(function (node) {
      self.body.appendChild(node);
    });
  };

  Conversation.prototype.choose = function (turn, at) {
    this.way.push({ turn: turn.id, choice: at });
    this.remarked = true;
    this.trigger(base.partStatement(this, 'answered', this.part(turn), this.result(turn, at, this.started)));
    this.moveOn();
  };

  Conversation.prototype.showRemark = function () {
    var self = this;
    var choice = this.last();
    this.counter.textContent = this.say('turn', { at: this.way.length });
    this.heading = el('h2', { class: 'xq-ask', tabindex: '-1', text: this.say('coach') });
    [
      this.talk(this.way.length).node(),
      this.heading,
      el('div', { role: 'status', 'data-xq': 'feedback' }, [this.remark(choice)]),
      el('div', { class: 'xq-actions' }, [
        base.button('primary', 'next', this.say(this.after(choice) ? 'next' : 'toEnd'), function () {
          self.remarked = false;
          self.moveOn();
        }),
        choice.worth === 'helps'
          ? null
          : base.button('secondary', 'retry', this.say('retry'), function () {
              self.way.pop();
              self.remarked = false;
              self.moveOn();
            }),
      ]),
    ].forEach(function (node) {
      self.body.appendChild(node);
    });
  };

  Conversation.prototype.showEnd = function () {
    var self = this;
    this.counter.textContent = '';
    this.heading = el('h2', { tabindex: '-1', text: this.say('end') });
    [
      this.heading,
      this.params.closing ? base.rich(this.params.closing) : null,
      el('p', { text: this.say('endText') }),
      this.talk(this.way.length, true).node(),
      el('div', { class: 'xq-actions' }, [
        base.button('secondary', 'again', this.say('again'), function () {
          self.way = [];
          self.moveOn();
        }),
      ]),
    ].forEach(function (node) {
      if (node) self.body.appendChild(node);
    });
    if (!this.completed) {
      this.completed = true;
      var event = this.createXAPIEventTemplate('completed');
      event.data.statement.result = {
        completion: true,
        duration: base.durationSince(this.activityStartTime),
      };
      this.trigger(event);
    }
  };

  Conversation.prototype.part = function (turn) {
    var self = this;
    var words = turn.words || turn.narration || '';
    return {
      id: turn.id,
      definition: {
        name: base.languageMap(this.params, H5P.createTitle(words)),
        description: base.languageMap(this.params, words),
        interactionType: 'choice',
        choices: (turn.choices || []).map(function (choice, at) {
          return { id: letters[at], description: base.languageMap(self.params, choice.text) };
        }),
      },
    };
  };

  /** What was said, without points: it is a talk and no test. */
  Conversation.prototype.result = function (turn, at, started) {
    return {
      response: letters[at],
      completion: true,
      duration: base.durationSince(started || this.activityStartTime),
    };
  };

  // The contract of H5P. There is no score.

  Conversation.prototype.getAnswerGiven = function () {
    return this.way.length > 0;
  };

  Conversation.prototype.resetTask = function () {
    this.restore({});
    this.activityStartTime = Date.now();
    if (this.body) this.show();
  };

  Conversation.prototype.getXAPIData = function () {
    var self = this;
    return {
      statement: this.createXAPIEventTemplate('completed').data.statement,
      children: this.way.map(function (step) {
        var turn = self.find(step.turn);
        var event = base.partStatement(self, 'answered', self.part(turn), self.result(turn, step.choice));
        return { statement: event.data.statement };
      }),
    };
  };

  Conversation.prototype.getCurrentState = function () {
    return { way: this.way.slice(), remarked: this.remarked, completed: this.completed };
  };

  return Conversation;
})(H5P.XinqiaoBase);
